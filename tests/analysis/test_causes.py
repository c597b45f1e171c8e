"""Causes: each rule, where it speaks and where it is silent."""

import random

import pytest

from steelyard.analysis.explaining.causes import APART, causes
from steelyard.analysis.explaining.findings import Cause
from steelyard.analysis.explaining.story import Story, story_of
from steelyard.training.alarms import alarms
from tests.analysis.told_runs import Made, told

LOST = Made(valid=1.0, train=1.0)
FALLING = [0.6, 0.5, 0.4, 0.3, 0.2, 0.1]


def found(story: Story) -> dict[str, Cause]:
    return {cause.name: cause for cause in causes(story)}


def test_units_are_told_from_weights_by_what_the_gradient_is_without_its_weight() -> None:
    by_units = found(story_of(*told({"age": Made(norm=50.0), "class": LOST})))
    assert by_units["units"].numbers["ratio"] == pytest.approx(50)
    assert by_units["units"].numbers["share_unweighted"] == pytest.approx(50 / 51)
    heads = {"age": Made(norm=1.0), "price": Made(norm=1000.0, weight=1e-5, valid=1.0)}
    by_weight = found(story_of(*told(heads)))
    assert set(by_weight) == {"weights"}
    assert by_weight["weights"].numbers["ratio"] == pytest.approx(100)
    assert by_weight["weights"].numbers["share_unweighted"] == pytest.approx(1 / 1001)


def test_a_head_that_opposes_the_others_does_not_win_by_size_alone() -> None:
    heads = {"age": Made(norm=50.0), "class": LOST}
    assert "not by direction" in found(story_of(*told(heads, cosine=0.1)))["units"].says
    assert "not by direction" not in found(story_of(*told(heads, cosine=-0.5)))["units"].says


def test_a_share_that_grows_from_balance_is_a_drift() -> None:
    heads = {"age": Made(norm=[1.0, 2, 4, 8, 9, 9]), "class": Made(valid=0.8)}
    cause = found(story_of(*told(heads)))["drift"]
    assert cause.numbers == {"share_first": 0.5, "share_last": pytest.approx(0.9)}


def test_a_lead_from_the_first_epoch_that_is_no_matter_of_size_is_uneven() -> None:
    assert set(found(story_of(*told({"age": Made(norm=4.0), "class": Made()})))) == {"uneven"}


@pytest.mark.parametrize(
    ("cosine", "rate", "is_told"), [(-0.3, 0.9, True), (-0.3, 0.5, False), (-0.05, 0.9, False)]
)
def test_conflict_is_a_cosine_that_is_clearly_and_mostly_negative(
    cosine: float, rate: float, is_told: bool
) -> None:
    cosines = [cosine + shift for shift in (0.02, -0.02, 0.01, -0.01, 0.0, 0.0)]
    heads = {"age": Made(), "class": Made()}
    causes_told = found(story_of(*told(heads, cosine=cosines, conflict_rate=rate)))
    assert ("conflict" in causes_told) == is_told
    if is_told:
        assert causes_told["conflict"].numbers["cosine"] == pytest.approx(cosine)


def test_a_mean_cosine_that_chance_gives_is_no_conflict() -> None:
    cosines = [-0.9, 0.5, -0.8, 0.4, -0.6, 0.5]  # mean -0.15, spread 0.66
    heads = {"age": Made(), "class": Made()}
    assert "conflict" not in found(story_of(*told(heads, cosine=cosines, conflict_rate=0.7)))


def test_gradients_that_have_nothing_to_do_with_each_other_hardly_ever_conflict() -> None:
    draw = random.Random(0)
    heads = {f"h{n}": Made() for n in range(12)}  # 66 pairs a run
    n_told = 0
    for _ in range(20):
        record, history, tasks = told(heads)
        for row in history:
            row |= {name: draw.gauss(0, 0.3) for name in row if name.endswith("/cosine")}
            row |= {name: 0.7 for name in row if name.endswith("/conflict_rate")}
        n_told += "conflict" in found(story_of(record, history, tasks))
    assert n_told <= 3  # 1 is expected: one in twenty runs


def test_a_head_with_its_share_that_learns_nothing_lacks_signal() -> None:
    cause = found(story_of(*told({"age": Made(), "class": LOST})))["noise or too little signal"]
    assert cause.heads == ["class"]
    assert "class held 50 % of the gradient and yet stayed at 1.0000" in cause.says
    assert "hardly anything" in cause.says


def test_a_head_that_learns_only_its_examples_does_so_by_heart() -> None:
    heads = {"age": Made(), "class": Made(valid=1.2, train=FALLING)}
    assert "by heart" in found(story_of(*told(heads)))["noise or too little signal"].says


def test_a_head_of_small_share_is_told_where_no_head_holds_most() -> None:
    heads = {"a": Made(norm=10.0), "b": Made(norm=9.0), "c": Made(norm=1.0, valid=1.0)}
    causes_told = found(story_of(*told(heads)))
    assert causes_told["small share"].numbers == {"share/c": pytest.approx(0.05)}
    assert "noise or too little signal" not in causes_told


def test_overfitting_needs_validation_to_rise_while_training_falls() -> None:
    rising = [0.5, 0.4, 0.5, 0.6, 0.7, 0.8]
    heads = {"age": Made(valid=rising, train=FALLING), "class": Made()}
    cause = found(story_of(*told(heads)))["overfitting"]
    assert cause.numbers == {"worse/age": pytest.approx(1.0)}
    assert "best in epoch 2" in cause.says
    both = {"age": Made(valid=rising, train=rising), "class": Made()}
    assert "overfitting" not in found(story_of(*told(both)))


def test_the_one_epoch_that_is_kept_costs_the_head_that_was_best_in_another() -> None:
    heads = {
        "early": Made(valid=[0.5, 0.6, 0.6, 0.6, 0.6, 0.6]),
        "late": Made(valid=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]),
    }
    cause = found(story_of(*told(heads)))["pace"]
    assert cause.numbers == {"cost/early": pytest.approx(0.2)}
    assert "against its own best, epoch 1" in cause.says


def test_a_method_whose_weights_hardly_move_is_named_where_units_hold() -> None:
    moving = [1.0, 1.0, 1.1, 1.1, 1.2, 1.2]
    heads = {"age": Made(norm=50.0, weights=moving), "class": LOST}
    cause = found(story_of(*told(heads, weighting="dwa")))["a weighting that hardly moves"]
    assert cause.numbers == {"moved": pytest.approx(1.2)}
    assert "a weighting that hardly moves" not in found(story_of(*told(heads)))


def test_the_alarm_of_a_weight_that_never_moves_is_passed_on() -> None:
    record, history, tasks = told({"age": Made(), "class": Made()}, weighting="dwa")
    for row in history:
        row |= {name: 0.5 for name in row if name.endswith("/conflict_rate")}
    record["alarms"] = alarms(history, ["age", "class"], moves=True)
    assert (
        "never moves" in found(story_of(record, history, tasks))["a weight that does not move"].says
    )


def test_losses_that_only_rise_are_those_of_too_high_a_rate() -> None:
    heads = {"age": Made(train=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], valid=2.0), "class": LOST}
    assert found(story_of(*told(heads)))["learning rate"].numbers == {"rise": 6.0}
    still = {"age": LOST, "class": LOST}
    assert "learning rate" not in found(story_of(*told(still)))


def test_a_loss_that_breaks_without_rising_is_not_blamed_on_the_rate() -> None:
    nan = float("nan")
    heads = {"age": Made(train=[0.5, nan], valid=nan, start=9.0), "class": Made(train=[0.4, nan])}
    story = story_of(*told(heads, n_epochs=2, status="diverged", best={}, best_epoch=0))
    causes_told = found(story)
    assert "learning rate" not in causes_told
    assert "the largest at the start was age's, 9" in causes_told["not finite"].says


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_lengths_size_is_named_exactly_where_they_are_apart(seed: int) -> None:
    draw = random.Random(seed)
    lengths = [10 ** draw.uniform(-3, 3) for _ in range(draw.randint(2, 6))]
    heads = {f"h{n}": Made(norm=length) for n, length in enumerate(lengths)}
    story = story_of(*told(heads))
    is_apart = max(lengths) / min(lengths) >= APART and story.dominance is not None
    assert ("units" in found(story)) == is_apart
