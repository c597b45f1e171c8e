"""A tracker alone asks for nothing, and writes nothing."""

from pathlib import Path

import pytest

from steelyard.tracking.tracker import Identity, Tracker

RUN = Identity("0" * 16, "dwa-0", "posts", "", {})


def test_a_tracker_alone_writes_nothing(tmp_path: Path) -> None:
    tracker = Tracker()
    tracker.begin_sweep(tmp_path, "posts", "one", "steelyard train -m")
    watcher = tracker.begin(tmp_path, RUN, {})
    watcher.log(0, {"valid/score": 1.0})
    watcher.end("finished", {"epochs": 1}, tmp_path)
    tracker.mirror(tmp_path, RUN, tmp_path, {}, [])
    tracker.end_sweep(tmp_path, "posts", "one", [])
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_time_below_zero() -> None:
    with pytest.raises(ValueError, match="`checkpoint_seconds` must be at least 0, got -1"):
        Tracker(checkpoint_seconds=-1)
