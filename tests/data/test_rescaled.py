"""A rescaled source is the held one in every way but one: how large its heads' losses are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.construct import Refused, construct
from steelyard.data.dials import Dials
from steelyard.data.posts_synthetic import PostsSynthetic
from steelyard.data.rescaled import Rescaled, share
from steelyard.data.source import SPLITS, Split
from steelyard.identity import identify, plain
from tests.data.tables import frame, table_of
from tests.launch.beside import NOISE, settings

FACTORS = st.floats(min_value=1e-6, max_value=1e6)
HEADS = ("task_0", "task_1")


class Counted(Dials):
    """Dials that count how often their examples are made."""

    n_loads = 0

    def load(self, split: Split) -> Any:
        type(self).n_loads += 1
        return super().load(split)


@given(st.dictionaries(st.sampled_from(HEADS), FACTORS))
def test_only_the_losses_of_the_named_heads_are_multiplied(factors: dict[str, float]) -> None:
    held = Dials(n_train=16)
    source = Rescaled(source=held, factors=factors)
    for task, other in zip(source.tasks, held.tasks, strict=True):
        assert task.loss_scale == factors.get(task.name, 1.0)
        assert {**vars(task), "loss_scale": 1.0} == vars(other)
    for name in ("task_names", "inputs", "input_kinds", "fingerprint", "fitted"):
        assert getattr(source, name) == getattr(held, name)
    for split in SPLITS:
        for arrays, others in zip(source.splits[split], held.load(split), strict=True):
            for name in others:
                np.testing.assert_array_equal(arrays[name], others[name], strict=True)


@given(FACTORS, FACTORS)
def test_factors_within_factors_multiply(one: float, other: float) -> None:
    inner = Rescaled(source=Dials(n_train=16), factors={"task_0": one})
    source = Rescaled(source=inner, factors={"task_0": other, "task_1": other})
    assert [task.loss_scale for task in source.tasks] == [one * other, other]


def test_a_loss_that_was_scaled_already_is_multiplied() -> None:
    held = PostsSynthetic(n_train=8, scale={"age": 1.0, "income": 4.0, "gender": 0.5})
    source = Rescaled(source=held, factors={"income": 0.25, "gender": 10})
    assert [task.loss_scale for task in source.tasks] == [1.0, 1.0, 5.0]


def test_those_that_hold_equal_sources_share_one_s_arrays() -> None:
    one, other = (Rescaled(source=Dials(n_train=20), factors={"task_0": f}) for f in (1.0, 7.0))
    another = Rescaled(source=Dials(n_train=20, seed=1), factors={"task_0": 1.0})
    for split in SPLITS:
        assert one.splits[split] is other.splits[split]
        assert one.load(split) is other.splits[split]
        assert (one.splits[split].inputs["left"] != another.splits[split].inputs["left"]).all()


def test_a_scan_makes_its_examples_once() -> None:
    held = Counted(n_train=24)
    before = Rescaled(source=Counted(n_train=24), factors={})
    share(held)
    assert held.splits["train"] is before.splits["train"]
    for factor in range(1, 9):
        source = Rescaled(source=Counted(n_train=24), factors={"task_1": factor})
        assert source.splits["test"] is held.splits["test"]
    assert Counted.n_loads == len(SPLITS)


def test_new_rows_are_read_and_files_hashed_as_the_held_table_s(tmp_path: Path) -> None:
    held = table_of(tmp_path, frame())
    source = Rescaled(source=held, factors={"age": 3.0})
    path = str(tmp_path / "people.csv")
    assert source.fitted == held.fitted
    assert source.fingerprint == held.fingerprint != ""
    found, expected = (each.read_inputs(path, held.fitted) for each in (source, held))
    np.testing.assert_array_equal(found["text"], expected["text"])
    assert [task.unit for task in source.tasks] == ["years"]


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"task_2": 1.0}, r"`factors` must name the heads task_0, task_1, got 'task_2' \(did you"),
        ({"task_0": 0}, "`factors.task_0` must be a finite positive number, got 0"),
        ({"task_0": -2.0}, "must be a finite positive number, got -2.0"),
        ({"task_0": float("inf")}, "must be a finite positive number, got inf"),
        ({"task_0": float("nan")}, "must be a finite positive number, got nan"),
        ({"task_0": True}, "must be a finite positive number, got True"),
        ({"task_0": "10"}, "must be a finite positive number, got '10'"),
    ],
)
def test_what_no_loss_can_be_multiplied_by_is_refused(
    factors: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as told:
        Rescaled(source=Dials(), factors=factors)
    assert "\n" not in str(told.value)


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(Refused, match="`source` must be a source of examples, got"):
        construct({"_target_": "steelyard.data.rescaled.Rescaled", "source": {}, "factors": {}})


def test_each_factor_is_a_run_of_its_own(tmp_path: Path) -> None:
    config = plain(settings(tmp_path, *NOISE))
    keys = set()
    for factors in ({}, {"a": 10.0}, {"a": 0.1}, {"b": 10.0}):
        data = {
            "_target_": "steelyard.data.rescaled.Rescaled",
            "source": config["data"],
            "factors": factors,
        }
        keys.add(identify({**config, "data": data}, construct(data)).key)
    keys.add(identify(config, construct(config["data"])).key)
    assert len(keys) == 5
