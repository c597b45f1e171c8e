"""What a probe says of its numbers, and what it gives to paste: each worked by hand."""

from typing import Any

import pytest

from steelyard.analysis.probe import diagnosis, shares
from steelyard.analysis.probe_tables import grid, keras_weights, override, pair_rows, rows

AGE = {
    "given": 1.0,
    "weight": 0.01,
    "norm": 100.0,
    "start_loss": 1800.0,
    "alone_loss": 40.0,
    "together_loss": 50.0,
    "constant_loss": 142.0,
    "noise_share": 0.5,
    "is_stable": True,
}
GENDER = {
    "given": 1.0,
    "weight": 1.0,
    "norm": 1.0,
    "start_loss": 0.7,
    "alone_loss": 0.3,
    "together_loss": 0.4,
    "constant_loss": 0.69,
    "noise_share": 0.25,
    "is_stable": True,
}
PAIR = {"cosine": 0.02, "conflict_rate": 0.5, "cosine_without_noise": 0.05}


def found(
    age: dict[str, Any] | None = None,
    gender: dict[str, Any] | None = None,
    pair: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns a probe's numbers, with changes."""
    return {
        "steps": 200,
        "batch_size": 64,
        "heads": {"age": {**AGE, **(age or {})}, "gender": {**GENDER, **(gender or {})}},
        "pairs": {"age and gender": {**PAIR, **(pair or {})}},
    }


def test_shares_are_those_of_the_weighted_lengths() -> None:
    assert shares(found()) == pytest.approx({"age": 100 / 101, "gender": 1 / 101})
    even = shares(found(age={"given": 0.01}))
    assert even == pytest.approx({"age": 0.5, "gender": 0.5})


def test_units_without_noise_or_conflict_are_the_only_trouble() -> None:
    assert diagnosis(found()) == [
        "Units: age drowns gender. Alone, its gradient on the shared layers is 100 times as long.",
        "At the loss weights given, gender would have 0.99 % of the gradient.",
        "Noise: no more than 80 % of any squared gradient.",
        "Conflict: none. The gradients are nearly at right angles.",
    ]


@pytest.mark.parametrize(
    ("norm", "told"),
    [
        (2.0, "Units: even. No gradient is more than 2 times as long as another."),
        (10.0, "Units: age outweighs gender. Alone, its gradient on the shared layers is 10 times"),
        (31.0, "Units: age drowns gender."),
    ],
)
def test_units_are_named_by_how_far_apart_they_are(norm: float, told: str) -> None:
    assert diagnosis(found(age={"norm": norm}))[0].startswith(told)


def test_loss_weights_that_make_gradients_even_starve_no_head() -> None:
    assert not any("would have" in line for line in diagnosis(found(age={"given": 0.01})))


def test_a_noisy_head_is_told_the_batch_at_which_noise_is_half() -> None:
    lines = diagnosis(found(gender={"noise_share": 0.9}))  # 64 * 0.9 / 0.1 = 576
    assert lines[2] == (
        "Noise: 90 % of gender's squared gradient differ between batches; in batches of 600 it "
        "would be half. A larger weight takes its noise along."
    )


def test_all_noise_has_no_batch_that_would_do() -> None:
    line = diagnosis(found(gender={"noise_share": 1.0}))[2]
    assert "100 %" in line
    assert "batches of" not in line


def test_a_cosine_below_zero_in_most_steps_is_a_conflict() -> None:
    line = diagnosis(found(pair={"cosine": -0.4, "conflict_rate": 0.9}))[-1]
    assert line.startswith(
        "Conflict: age and gender pull apart (mean cosine -0.40, below 0 in 90 %"
    )
    rare = diagnosis(found(pair={"cosine": -0.4, "conflict_rate": 0.3}))[-1]
    assert rare.startswith("Conflict: none.")


def test_heads_that_help_each_other_are_told() -> None:
    line = diagnosis(found(pair={"cosine": 0.5, "conflict_rate": 0.0}))[-1]
    assert line == "Conflict: none between age and gender, which help each other (0.50)."


def test_what_a_weight_rests_on_is_doubted_where_it_must_be() -> None:
    assert "age does not come down alone" in diagnosis(found(age={"is_stable": False}))[-1]
    late = diagnosis(found(age={"alone_loss": 150.0}))[-1]
    assert late.startswith("age is not below its best constant after 200 steps alone (150 against")
    lost = diagnosis(found(age={"norm": float("nan")}))[-1]
    assert lost == "age has no gradient on the shared layers: its weight is set to 1."


def test_the_tables_have_a_row_a_head_and_a_row_a_pair() -> None:
    table = rows(found())
    assert table[1] == ("age", "1.8e+03", "142", "40", "50", "100", "99 %", "50 %", "0.01")
    assert pair_rows(found())[1] == ("age and gender", "+0.02", "+0.05", "50 %")
    unknown = pair_rows(found(pair={"cosine_without_noise": float("nan")}))
    assert unknown[1][2] == "-"


def test_weights_are_written_for_keras_and_for_the_command_line() -> None:
    weights = {"age": 0.003, "gender": 1.0}
    assert keras_weights(weights) == 'loss_weights={"age": 0.003, "gender": 1}'
    assert override(weights) == "{age:0.003,gender:1}"


def test_a_grid_begins_with_the_weights_and_moves_all_but_one_by_three() -> None:
    assert grid({"age": 0.003, "gender": 1.0}) == [
        {"age": 0.003, "gender": 1.0},
        {"age": 0.001, "gender": 1.0},
        {"age": 0.009, "gender": 1.0},
    ]


@pytest.mark.parametrize(("n_heads", "n_points"), [(2, 3), (3, 9), (4, 7), (6, 11)])
def test_a_grid_has_few_points_without_repetitions(n_heads: int, n_points: int) -> None:
    points = grid({f"task_{k}": 10.0**-k for k in range(n_heads)})
    assert len(points) == n_points
    assert len({tuple(point.values()) for point in points}) == n_points
    assert {point["task_0"] for point in points} == {1.0}


def test_a_head_that_is_left_out_stays_out_of_the_grid() -> None:
    points = grid({"age": 0.01, "income": 0.0, "gender": 1.0})
    assert len(points) == 3
    assert {point["income"] for point in points} == {0.0}
