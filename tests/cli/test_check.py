"""The check of a study: which runs it trains again, and which differences it lets pass."""

from typing import Any

import pandas as pd
import pytest

from steelyard.cli.check import choose, compare
from tests.analysis.test_report import LOSSES, study


def records(**changes: float) -> list[dict[str, Any]]:
    test = {
        "age/loss": 4.0,
        "age/rmse": 2.0,
        **{k.replace("_", "/"): v for k, v in changes.items()},
    }
    return [{"run_key": "a", "name": "equal-0", "test": test}]


COMMITTED = pd.DataFrame(
    {
        "run_key": ["a", "b", "c"],
        "setting": ["equal"] * 3,
        "test/age/loss": [4.0, 4.2, 3.8],
        "test/age/rmse": [2.0, 2.0, 2.0],
    }
)


def test_the_same_numbers_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(records(), COMMITTED) == 0
    assert "2 the same to six digits, 0 within rounding, 0 off" in capsys.readouterr().out


def test_a_number_within_the_seeds_spread_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(records(age_loss=4.5), COMMITTED) == 0  # the deviation is 0.2
    assert "1 the same to six digits, 1 within rounding, 0 off" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "value"), [("age_loss", 4.7), ("age_rmse", 2.05)])
def test_a_number_that_is_off_is_told(
    name: str, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(records(**{name: value}), COMMITTED) == 1
    assert "1 off" in capsys.readouterr().out


def test_a_number_that_is_none_is_off() -> None:
    assert compare(records(age_loss=float("nan")), COMMITTED) == 1


def test_a_run_without_a_committed_number_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    stranger = [{**records()[0], "run_key": "z"}]
    assert compare(stranger, COMMITTED) == 1
    assert "has no committed number" in capsys.readouterr().out


def test_the_runs_that_tell_most_are_chosen() -> None:
    assert choose(study(*LOSSES), 3) == {("equal", 0), ("age=0.01", 0), ("nash_mtl", 0)}
    assert len(choose(study(*LOSSES), 5)) == 5
