"""A run that was cut off goes on bit-equal, stops when it should, and a divergence is a result."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import DictConfig

from steelyard.cli.compose import composed, composing
from steelyard.cli.validate import without_hydra
from steelyard.data.order import order_of
from steelyard.run import Done, run
from steelyard.tracking.record import RunFolder
from tests.cli.commands import TINY


def settings(output: Path, *more: str) -> DictConfig:
    words = [*TINY, "tracker=record", "tracker.checkpoint_seconds=0", f"output={output}", *more]
    with composing():
        return without_hydra(composed(words))


def done(output: Path, *more: str) -> tuple[Done, list[dict[str, float]]]:
    finished = run(settings(output, *more), lambda *_: None)
    return finished, RunFolder(output, finished.identity.key).history()


QUICK = ["fixed", "uncertainty", "dwa", "nash_mtl", "famo"]
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("rlw", "graddrop", "excess_mtl")]


@pytest.mark.parametrize("method", [*QUICK, *SLOW])
def test_a_run_that_was_cut_off_goes_on_bit_equal(method: str, tmp_path: Path) -> None:
    more = (
        f"weighting={method}",
        "training.epochs=4",
        "training.schedule=cosine",
        "model.dropout=0.2",
    )
    whole, history = done(tmp_path / "whole", *more)

    def cut(identity: Any, epoch: int, values: Any) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(settings(tmp_path / "cut", *more), cut)
    assert RunFolder(tmp_path / "cut", whole.identity.key).record() is None
    resumed, again = done(tmp_path / "cut", *more)
    assert again == history
    for name in ("test", "best", "loss_weights", "start"):
        assert resumed.record[name] == whole.record[name]


def test_the_same_seed_gives_the_same_run_and_another_does_not(tmp_path: Path) -> None:
    _, one = done(tmp_path / "one")
    _, two = done(tmp_path / "two")
    _, other = done(tmp_path / "other", "seed=1")
    assert one == two
    assert one != other


def test_each_seed_can_be_set_alone(tmp_path: Path) -> None:
    first, _ = done(tmp_path, "seeds.weights=5")
    second, _ = done(tmp_path, "seeds.weights=5", "seed=1")
    third, _ = done(tmp_path, "seeds.weights=6")
    assert first.record["start"] == second.record["start"]
    assert first.record["test"] != second.record["test"]
    assert first.record["start"] != third.record["start"]


def test_patience_stops_a_run_and_the_best_epoch_is_kept(tmp_path: Path) -> None:
    more = ("training.epochs=30", "training.patience=1", "optimizer.learning_rate=0.1")
    finished, history = done(tmp_path, *more, "loss_weights={age:0,income:1,gender:0}")
    scores = [row["valid/score"] for row in history]
    record = finished.record
    assert len(scores) < 30
    assert record["best_epoch"] == int(np.argmin(scores))
    assert len(scores) == record["best_epoch"] + 2
    assert record["best"]["score"] == min(scores)


def test_a_run_that_diverges_is_a_result(tmp_path: Path) -> None:
    more = ("optimizer=sgd", "optimizer.learning_rate=1e30", "training.epochs=5")
    finished, history = done(tmp_path, *more)
    assert finished.record["status"] == "diverged"
    assert len(history) < 5
    assert not run(settings(tmp_path, *more), lambda *_: None).is_new


def test_a_run_records_who_held_the_gradient_and_raises_the_alarm(tmp_path: Path) -> None:
    finished, history = done(tmp_path, "training.diagnose_every=1")
    for row in history:
        shares = [row[f"train/{head}/gradient_share"] for head in ("age", "income", "gender")]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert -1 <= row["train/age and income/cosine"] <= 1
        assert row["train/age/loss_share"] > 0.9
    assert history[0]["train/age/training_rate"] == 1
    (alarm,) = finished.record["alarms"]
    assert alarm.startswith("age holds over 95% of the gradient of the shared layers in 2 of 2")
    assert finished.record["n_shared_parameters"] < finished.record["n_parameters"]


def test_missing_labels_are_left_out_of_every_number(tmp_path: Path) -> None:
    finished, _ = done(tmp_path, "data.labelled={age:0.5,income:0.5,gender:0.5}")
    labelled = finished.record["data"]["train"]
    assert 16 < labelled["age"]["labelled"] < 48
    assert all(np.isfinite(value) for value in finished.record["best"].values())


def test_an_epoch_s_order_depends_on_the_seed_and_the_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return [int(each) for each in order_of(10, seed, epoch)]

    assert order(0, 2) == order(0, 2)
    assert order(0, 2) != order(0, 1)
    assert order(0, 2) != order(1, 2)
    assert sorted(order(3, 7)) == list(range(10))
