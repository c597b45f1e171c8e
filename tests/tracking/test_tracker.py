"""A tracker alone asks for nothing, and one that fails does not stop what it tells of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from steelyard.tracking.tracker import Guarded, Identity, Tracker, Watcher

RUN = Identity("0" * 16, "dwa-0", "posts", "", {})


class Told(Watcher):
    """Keeps what it is told, and breaks when it is told of an epoch."""

    def __init__(self, broken: int | None = None) -> None:
        self.calls: list[Any] = []
        self.broken = broken

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        self.calls.append((epoch, dict(values)))
        if epoch == self.broken:
            raise OSError("no space\nleft on device")

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        self.calls.append((status, dict(record), folder))


def told_of_a_run(watcher: Watcher) -> None:
    for epoch in range(3):
        watcher.log(epoch, {"valid/score": 1.0 / (1 + epoch)})
    watcher.end("finished", {"epochs": 3}, Path("run"))


def test_a_watcher_that_works_is_told_everything(capsys: pytest.CaptureFixture[str]) -> None:
    plain, guarded = Told(), Told()
    told_of_a_run(plain)
    told_of_a_run(Guarded(guarded))
    assert guarded.calls == plain.calls
    assert len(plain.calls) == 4
    assert capsys.readouterr() == ("", "")


def test_a_watcher_that_raises_is_told_of_once_and_told_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watcher = Told(broken=1)
    told_of_a_run(Guarded(watcher))
    assert [call[0] for call in watcher.calls] == [0, 1]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == ("The run goes on, but is not shown: OSError: no space left on device\n")


def test_whoever_stops_a_run_stops_it_through_a_watcher_too() -> None:
    class Stopped(Watcher):
        def log(self, epoch: int, values: Mapping[str, float]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded(Stopped()).log(0, {})


def test_a_tracker_alone_writes_nothing(tmp_path: Path) -> None:
    tracker = Tracker()
    tracker.begin_sweep(tmp_path, "posts", "one", "steelyard train -m")
    told_of_a_run(tracker.begin(tmp_path, RUN, {}))
    tracker.mirror(tmp_path, RUN, tmp_path, {}, [])
    tracker.end_sweep(tmp_path, "posts", "one", [])
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_time_below_zero() -> None:
    with pytest.raises(ValueError, match="`checkpoint_seconds` must be at least 0, got -1"):
        Tracker(checkpoint_seconds=-1)
