"""Advice: what it says to try, and that it would do what it says."""

import random

import pytest

from steelyard.analysis.explaining.advice import ARE_NON_CONFLICTING
from steelyard.analysis.explaining.explain import Explanation, explain
from steelyard.analysis.explaining.rebalance import ARE_SCALE_FREE, SCALE_FREE, balanced
from steelyard.analysis.explaining.story import story_of
from steelyard.cli.methods import holds, methods
from steelyard.weighting.base import Claim
from tests.analysis.told_runs import Made, told

LOST = Made(valid=1.0, train=1.0)


def overrides(found: Explanation) -> list[str]:
    return [word for each in found.advice for word in each.overrides]


def test_the_weights_of_a_worked_example() -> None:
    heads = {
        "age": Made(norm=[300.0, 1, 1, 1, 1, 1]),
        "income": Made(norm=2.0),
        "gender": Made(norm=3.0),
    }
    assert balanced(story_of(*told(heads))) == {"age": 0.01, "income": 1.5, "gender": 1.0}


@pytest.mark.parametrize("seed", range(30))
def test_with_the_weights_that_are_advised_no_gradient_is_longer_than_another(seed: int) -> None:
    draw = random.Random(seed)
    heads = {f"h{n}": Made(norm=10 ** draw.uniform(-6, 6)) for n in range(draw.randint(2, 40))}
    weights = balanced(story_of(*told(heads)))
    lengths = [weights[name] * float(made.norm) for name, made in heads.items()]  # type: ignore[arg-type]  # one number here
    assert max(lengths) / min(lengths) < 1.11  # two digits of each weight are given


def test_a_head_without_gradient_leaves_the_others_weights_alone() -> None:
    heads = {"a": Made(norm=4.0), "b": Made(norm=1.0), "dead": Made(norm=0.0)}
    assert balanced(story_of(*told(heads))) == {"a": 0.25, "b": 1.0, "dead": 1.0}


def test_a_head_that_was_not_trained_stays_out() -> None:
    heads = {"a": Made(norm=40.0), "b": LOST, "out": Made(weight=0.0)}
    found = explain(*told(heads))
    assert found.advice[0].loss_weights == {"a": 0.025, "b": 1.0, "out": 0.0}
    assert "loss_weights.out=0" in found.advice[0].overrides
    assert found.advice[1].overrides == ["weighting=nash_mtl", "loss_weights.out=0"]


def test_a_sweep_goes_around_the_weight_of_the_head_that_held_most() -> None:
    found = explain(*told({"age": Made(norm=30.0), "class": LOST}))
    assert found.advice[0].sweep == ["loss_weights.age=0.011,0.033,0.099", "loss_weights.class=1"]


def test_an_uneven_share_calls_for_weights_only_where_a_head_is_lost() -> None:
    assert overrides(explain(*told({"age": Made(norm=4.0), "class": Made(valid=0.4)}))) == []
    lost = explain(*told({"age": Made(norm=4.0), "class": LOST}))
    assert lost.advice[0].loss_weights == {"age": 0.25, "class": 1.0}


def test_a_scale_free_method_is_not_advised_to_one_that_is() -> None:
    heads = {"age": Made(norm=99.0), "class": LOST}
    assert f"weighting={SCALE_FREE}" in overrides(explain(*told(heads, weighting="dwa")))
    for method in ("stch", "smoothed stch"):
        assert f"weighting={SCALE_FREE}" not in overrides(explain(*told(heads, weighting=method)))


def test_the_methods_that_are_named_promise_what_they_are_named_for() -> None:
    claims = {
        kind.__module__.rpartition(".")[2]: kind.claims for kind in methods() if not holds(kind)
    }
    assert {name for name, held in claims.items() if Claim.SCALE_FREE in held} == set(
        ARE_SCALE_FREE
    )
    assert {name for name, held in claims.items() if Claim.NON_CONFLICTING in held} == set(
        ARE_NON_CONFLICTING
    )


def test_a_conflict_calls_for_a_method_and_for_no_weights() -> None:
    found = explain(*told({"a": Made(), "b": Made()}, cosine=-0.4, conflict_rate=0.9))
    assert overrides(found) == ["weighting=upgrad"]
    mended = explain(
        *told({"a": Made(), "b": Made()}, cosine=-0.4, conflict_rate=0.9, weighting="mgda")
    )
    assert "weighting=upgrad" not in overrides(mended)


@pytest.mark.parametrize(("constant", "is_told"), [(150.0, True), (0.7, False)])
def test_a_target_is_standardized_where_its_unit_is_large(constant: float, is_told: bool) -> None:
    heads = {"age": Made(norm=99.0, kind="regression"), "class": LOST}
    config = {"data": {"tasks_from": {"age": {"standardize": False}}}}
    found = explain(*told(heads, config=config, constant={"age": constant, "class": 1.0}))
    assert ("data.tasks_from.age.standardize=true" in overrides(found)) == is_told


def test_a_head_without_signal_is_to_be_trained_alone() -> None:
    found = explain(*told({"a": Made(), "b": LOST}))
    assert overrides(found) == ["loss_weights.a=0", "loss_weights.b=1"]


def test_more_epochs_are_advised_where_the_score_still_falls() -> None:
    falling = Made(valid=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert overrides(explain(*told({"a": falling, "b": falling}))) == ["training.epochs=12"]


def test_fewer_epochs_are_advised_only_where_patience_would_have_kept_the_best() -> None:
    config = {"training": {"patience": 0, "diagnose_every": 50}}
    early = [0.9, 0.5, *[0.51] * 6]
    found = explain(*told({"a": Made(valid=early), "b": Made()}, n_epochs=8, config=config))
    assert overrides(found) == ["training.patience=3"]
    assert "stopped after 5 and lost nothing" in found.advice[0].says
    lost = explain(*told({"a": Made(valid=early), "b": LOST}, n_epochs=8, config=config))
    assert "training.patience=3" not in overrides(lost)
    waiting = [0.9, 0.91, 0.91, 0.91, 0.5, *[0.51] * 5]
    found = explain(*told({"a": Made(valid=waiting), "b": Made()}, n_epochs=10, config=config))
    assert overrides(found) == []


def test_a_run_that_broke_is_to_be_trained_at_a_lower_rate() -> None:
    nan = float("nan")
    heads = {"age": Made(train=[5e3, nan], valid=nan, start=900.0), "class": Made(start=1.0)}
    config = {"optimizer": {"learning_rate": 0.5}}
    found = explain(
        *told(heads, n_epochs=2, status="diverged", best={}, best_epoch=-1, config=config)
    )
    assert "optimizer.learning_rate=0.05" in overrides(found)
    assert "loss_weights=inverse_start" in overrides(found)


def test_a_method_that_served_all_leaves_weights_to_keep() -> None:
    heads = {"a": Made(weights=[1.0, 2, 3, 4, 5, 6]), "b": Made(weights=[1.0] * 6)}
    found = explain(*told(heads, weighting="nash_mtl"))
    assert found.advice[-1].loss_weights == {"a": 3.5, "b": 1.0}
    assert found.advice[-1].overrides[0] == "weighting=fixed"
