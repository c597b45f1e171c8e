"""A search and a sweep in rounds, by the real command: killed, gone on with, and whole."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli.commands import finished, started
from tests.launch.test_parallel import records, waited

SMALL = (
    *("train", "-m", "data=dials", "model=shared_trunk", "data.n_train=256"),
    *("training.epochs=1", "training.diagnose_every=0", "tracker=record"),
)
SEARCH = (*SMALL, "hydra/sweeper=pareto", "hydra.sweeper.batch_size=2")


def table(out: str) -> str:
    """Returns what a search prints of its front."""
    return out[out.index("settings tried") : out.index(" name")]


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    words = (*SEARCH, "hydra.sweeper.n_trials=6", "hydra.sweeper.learning_rate=[0.001,0.1]")
    code, out, err = finished(whole, *words)
    assert code == 0, err
    assert "6 trained, 0 were there already, 0 failed." in out
    assert "6 settings tried, 0 of them failed or diverged" in out
    process = started(cut, words)
    waited(process, cut, 4)  # the second batch goes
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    times = {path: path.stat().st_mtime for path in cut.glob("outputs/runs/*/record.json")}
    assert 0 < len(times) < 6

    code, again, err = finished(cut, *words)
    assert code == 0, err
    assert f"{6 - len(times)} trained, {len(times)} were there already, 0 failed." in again
    assert all(path.stat().st_mtime == when for path, when in times.items())
    assert records(cut) == records(whole)
    assert table(again) == table(out)

    code, more, err = finished(cut, *words, "hydra.sweeper.n_trials=7", "hydra/launcher=basic")
    assert code == 0, err
    assert "1 trained, 6 were there already, 0 failed." in more


@pytest.mark.slow
def test_settings_that_break_are_told_and_the_search_goes_on(tmp_path: Path) -> None:
    far = ("optimizer=sgd", "optimizer.learning_rate=1e12", "seed=0,1")
    code, out, err = finished(tmp_path, *SEARCH, *far, "hydra.sweeper.n_trials=3")
    assert code == 0, err
    assert "3 settings tried, 3 of them failed or diverged; no other beats these 0" in out
    assert out.count("failed or diverged: ++loss_weights={") == 3
    assert {each["status"] for each in records(tmp_path).values()} == {"diverged"}


@pytest.mark.slow
def test_the_better_half_goes_on_to_more_epochs(tmp_path: Path) -> None:
    words = [each for each in SMALL if not each.startswith("training.epochs")]
    rates = "optimizer.learning_rate=1e-6,0.001,0.01"
    halved = (*words, rates, "seed=0", "hydra.sweeper.halving={epochs: [1, 2], keep: 0.4}")
    code, out, err = finished(tmp_path, *halved)
    assert code == 0, err
    assert "Round 1 of 2: 3 settings for 1 epochs; 2 go on." in err
    assert "5 trained, 0 were there already, 0 failed." in out
    found = [json.loads(path.read_text()) for path in tmp_path.glob("outputs/runs/*/record.json")]
    told = {(each["config"]["training"]["epochs"], each["best"]["score"]) for each in found}
    rates_of = {
        n: {
            each["config"]["optimizer"]["learning_rate"]
            for each in found
            if each["config"]["training"]["epochs"] == n
        }
        for n in (1, 2)
    }
    assert len(told) == 5
    assert rates_of == {1: {1e-6, 0.001, 0.01}, 2: {0.001, 0.01}}
