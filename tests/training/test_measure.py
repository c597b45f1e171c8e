"""Measures against numbers worked by hand."""

import numpy as np
import pytest

from steelyard.data.source import Examples
from steelyard.task import Task
from steelyard.training.judge import Judge, mean_loss
from steelyard.training.loss_weights import resolve
from steelyard.training.measure import constant_outputs, measure, overlap

AGE = Task(name="age", kind="regression")
GENDER = Task(name="gender", kind="binary")
INCOME = Task(name="income", kind="multiclass", classes=("low", "middle", "high"))


def column(*values: float) -> np.ndarray:
    return np.array(values, "float32")[:, None]


def test_a_regression_is_measured_in_its_unit() -> None:
    found = measure(AGE, np.array([10.0, 20, 30, np.nan]), column(12, 20, 26, 99))
    assert found["mae"] == pytest.approx(2)
    assert found["rmse"] == pytest.approx(np.sqrt(20 / 3))
    assert found["r2"] == pytest.approx(1 - 20 / 200)


def test_a_standardized_regression_too() -> None:
    task = Task(name="age", standardize=True).fitted(np.array([10.0, 30]))
    assert measure(task, np.array([10.0, 30]), column(-1, 1))["rmse"] == pytest.approx(0, abs=1e-6)


def test_a_binary_head_is_measured_by_order_by_side_and_by_chance() -> None:
    found = measure(GENDER, np.array([0.0, 0, 1, 1, np.nan]), column(0.1, 0.6, 0.4, 0.9, 0.5))
    assert found["auc"] == pytest.approx(3 / 4)
    assert found["accuracy"] == pytest.approx(1 / 2)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.9]).mean(), rel=1e-6)


def test_an_auc_of_one_class_is_not_a_number() -> None:
    assert np.isnan(measure(GENDER, np.array([1.0, 1]), column(0.1, 0.6))["auc"])


def test_classes_are_measured_one_by_one() -> None:
    outputs = np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]], "float32")
    found = measure(INCOME, np.array([0, 1, 2, -1]), np.vstack([outputs, outputs[:1]]))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.3, 0.6]).mean(), rel=1e-6)


def test_labels_are_measured_each_and_averaged() -> None:
    task = Task(name="tags", kind="multilabel", classes=("sharp", "dull"))
    targets = np.array([[0.0, 1], [1, 0], [np.nan, 1]])
    outputs = np.array([[0.2, 0.3], [0.7, 0.6], [0.5, 0.5]], "float32")
    found = measure(task, targets, outputs)
    assert found["auc"] == pytest.approx((1 + 0) / 2)
    assert found["accuracy"] == pytest.approx((1 + 0) / 2)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.7, 0.3, 0.4]).mean(), rel=1e-6)
    assert constant_outputs(task, targets, 2)[1] == pytest.approx([0.5, 0.5])


def test_a_label_that_is_the_same_throughout_has_no_part_in_the_auc() -> None:
    task = Task(name="tags", kind="multilabel", classes=("sharp", "dull"))
    outputs = np.array([[0.2, 0.3], [0.7, 0.6], [0.9, 0.5]], "float32")
    found = measure(task, np.array([[0.0, 1], [1, 1], [0, 1]]), outputs)
    assert found["auc"] == pytest.approx(1 / 2)  # of sharp alone
    assert found["accuracy"] == pytest.approx((2 / 3 + 1 / 3) / 2)  # of both
    none = measure(task, np.array([[0.0, 1], [0, 1], [0, 1]]), outputs)
    assert np.isnan(none["auc"])
    assert np.isfinite(none["log_loss"])


def test_a_corner_that_never_moves_has_no_part_in_r2() -> None:
    task = Task(name="box", kind="box")
    targets = np.array([[0.1, 0, 0.5, 0.1], [0.1, 0, 1, 0.1], [0.1, 0, 0.75, 0.1]], "float32")
    outputs = np.array([[0.2, 0, 0.5, 0.1], [0.1, 0, 1, 0.1], [0.1, 0, 0.5, 0.1]], "float32")
    found = measure(task, targets, outputs)
    assert found["r2"] == pytest.approx(1 - 0.25**2 / (2 * 0.25**2))  # of x2 alone
    assert found["mae"] == pytest.approx((0.1 + 0.25) / 12)
    assert np.isnan(measure(task, targets[:1], outputs[:1])["r2"])


def test_boxes_are_measured_by_their_corners_and_their_overlap() -> None:
    task = Task(name="box", kind="box")
    targets = np.array([[0.0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]])
    outputs = np.array([[0.0, 0, 0.5, 0.25], [0.5, 0.5, 1, 1]], "float32")
    found = measure(task, targets, outputs)
    assert found["iou"] == pytest.approx((0.5 + 1) / 2)
    assert found["mae"] == pytest.approx(0.25 / 8)
    assert found["r2"] == pytest.approx((1 + 1 + 1 + (1 - 0.25**2 / 0.125)) / 4)
    crossed = np.array([[0.5, 0.5, 0.0, 0.0]])  # corners the wrong way round hold nothing
    assert overlap(targets[:1], crossed) == 0
    assert constant_outputs(task, targets, 1)[0] == pytest.approx([0.25, 0.25, 0.75, 0.75])


def test_the_loss_of_classes_is_the_same_by_number_and_by_one_hot() -> None:
    outputs = np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2]], "float32")
    one_hot = Task(
        name="income",
        kind="multiclass",
        classes=INCOME.classes,
        loss="categorical_crossentropy",
    )
    targets = np.array([0, 2])
    assert mean_loss(one_hot, targets, outputs) == pytest.approx(
        mean_loss(INCOME, targets, outputs)
    )
    assert np.isnan(one_hot.scale(np.array([-1, 1]))[0]).all()


def test_outputs_that_are_no_numbers_measure_as_none() -> None:
    found = measure(AGE, np.array([1.0, 2]), column(np.nan, 2))
    assert all(np.isnan(value) for value in found.values())


def test_nothing_is_measured_without_labels() -> None:
    assert measure(AGE, np.array([np.nan]), column(1)) == {}
    assert np.isnan(mean_loss(AGE, np.array([np.nan]), column(1)))


def test_a_score_has_no_unit_and_counts_each_trained_head_once() -> None:
    targets = {"age": np.array([1.0, 3]), "gender": np.array([0.0, 1])}
    outputs = {"age": column(2, 3), "gender": column(0.2, 0.8)}
    for trained, expected in (
        ({"age", "gender"}, (0.5 + np.log(0.8) / np.log(0.5)) / 2),
        ({"age"}, 0.5),
    ):
        judge = Judge(
            tasks=(AGE, GENDER),
            examples=Examples({}, targets),
            train_targets=targets,
            trained=frozenset(trained),
        )
        assert judge.judge(outputs)["score"] == pytest.approx(expected, rel=1e-5)


def test_rules_give_weights_to_heads_without_a_number() -> None:
    losses = {"age": 4.0, "gender": 0.5}
    found = {
        rule: resolve(
            {"rule": rule}, ["age", "gender"], constant=losses, start={"age": 8, "gender": 1}
        )
        for rule in ("equal", "inverse_variance", "inverse_start")
    }
    assert found["equal"] == {"age": 1, "gender": 1}
    assert found["inverse_variance"] == {"age": 0.25, "gender": 2}
    assert found["inverse_start"] == {"age": 0.125, "gender": 1}
    given = resolve(
        {"rule": "inverse_start", "age": 3}, ["age", "gender"], constant={}, start=losses
    )
    assert given == {"age": 3, "gender": 2}


def test_a_rule_refuses_a_loss_that_gives_no_weight() -> None:
    with pytest.raises(ValueError, match=r"`loss_weights\.age` must be given"):
        resolve({"rule": "inverse_start"}, ["age"], constant={}, start={"age": 0.0})
