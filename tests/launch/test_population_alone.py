"""A run that trains beside others is what it is alone: every network, every method, bit for bit."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from steelyard.run import run
from steelyard.training import course
from tests.house.test_census import METHODS
from tests.launch.beside import NOISE, settings, together, told


def alone(
    output: Path, monkeypatch: pytest.MonkeyPatch, sweep: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Returns what runs say that were traced and trained one by one, by their keys."""
    found = {}
    for words in sweep:
        monkeypatch.setattr(course, "_courses", OrderedDict())
        record = run(settings(output, *words), lambda *_: None).record
        found[record["run_key"]] = told(output, record)
    monkeypatch.setattr(course, "_courses", OrderedDict())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_runs_of_a_method_are_what_each_is_alone(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = (["seed=0"], ["seed=1"], ["seed=2", "loss_weights={a:0.1,b:1,c:3}"])
    sweep = [[*NOISE, f"weighting={method}", *arm] for arm in arms]
    wanted = alone(tmp_path / "alone", monkeypatch, sweep[2:])  # the first traces in any case
    found = together(tmp_path / "together", sweep)
    assert {key: found[key] for key in wanted} == wanted
    assert len({json.dumps(each[1]) for each in found.values()}) == len(sweep)


def test_runs_in_a_stack_are_what_each_is_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One stops early, one diverges; the third is cut off by neither."""
    small = [*NOISE, "model.trunk=[16]", "training.epochs=5", "training.patience=1"]
    arms = (
        ["seed=0"],
        ["seed=1", "loss_weights.a=1e38"],
        ["seed=2", "loss_weights.b=3"],
        ["seed=3"],
    )
    sweep = [[*small, *arm] for arm in arms]
    wanted = alone(tmp_path / "alone", monkeypatch, sweep)
    found = together(tmp_path / "together", sweep, n_together=1)
    assert "4 runs, in stacks of up to 4, 1 at a time" in capsys.readouterr().err
    assert json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)  # NaN as well
    assert len({len(history) for _, history in found.values()}) > 1
    assert {record["status"] for record, _ in found.values()} == {"finished", "diverged"}


SYSTEMS = {
    "posts": ("data.n_train=128", "data.inputs_of.text.vocabulary=500", "training.epochs=2"),
    "question_answering": ("data.n_train=128", "training.epochs=2"),
    "image_and_metadata": ("data.inputs_of.image.shape=[32,32,3]", "training.epochs=2"),
    "numbers_and_text": ("data.n_train=128", "training.epochs=2"),
    "shared_trunk": ("training.epochs=2", "training.schedule=cosine"),
    "separate_towers": ("training.epochs=2", "training.diagnose_every=3"),
}


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_runs_of_a_network_are_what_each_is_alone(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [f"experiment=book_{system}", *SYSTEMS[system]]
    sweep = [[*small, f"seed={seed}"] for seed in range(3)]
    wanted = alone(tmp_path / "alone", monkeypatch, sweep[2:])
    found = together(tmp_path / "together", sweep)
    assert {key: found[key] for key in wanted} == wanted
    assert len({json.dumps(each[1]) for each in found.values()}) == len(sweep)


@pytest.mark.slow
def test_runs_of_many_makes_at_a_time_are_what_each_is_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More makes than are kept, so that some are dropped while others train."""
    sweep = [
        [*NOISE, f"optimizer.learning_rate={rate}", f"seed={seed}"]
        for seed in (0, 1)
        for rate in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    ]
    wanted = alone(tmp_path / "alone", monkeypatch, sweep[::7])
    found = together(tmp_path / "together", sweep)
    assert {key: found[key] for key in wanted} == wanted
