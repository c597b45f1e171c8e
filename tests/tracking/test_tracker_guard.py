"""What shows runs fails now and then, and the runs hear nothing of it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from steelyard.tracking import tracker_guard
from steelyard.tracking.tracker import Watcher
from steelyard.tracking.tracker_guard import TOLD, Guard, Guarded

BROKEN = (
    "MLflow does not show every run: OSError: no space left on device "
    "(training goes on, and the same command, given again, shows it)\n"
)


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOLD, "")


class Told(Watcher):
    """Keeps what it is told, and breaks when it is told of an epoch."""

    def __init__(self, broken: int | None = None) -> None:
        self.calls: list[Any] = []
        self.broken = broken

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        self.calls.append((epoch, dict(values)))
        if epoch == self.broken:
            raise OSError("no space left on device\nand more of it")

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        self.calls.append((status, dict(record), folder))


def guarded(watcher: Watcher, guard: Guard | None = None, sweep: str = "one") -> Guarded:
    return Guarded(guard or Guard("MLflow"), sweep, lambda: watcher)


def told_of_a_run(watcher: Watcher) -> None:
    for epoch in range(3):
        watcher.log(epoch, {"valid/score": 1.0 / (1 + epoch)})
    watcher.end("finished", {"epochs": 3}, Path("run"))


def test_a_watcher_that_works_is_told_everything(capsys: pytest.CaptureFixture[str]) -> None:
    plain, watcher = Told(), Told()
    told_of_a_run(plain)
    told_of_a_run(guarded(watcher))
    assert watcher.calls == plain.calls
    assert len(plain.calls) == 4
    assert capsys.readouterr() == ("", "")


def test_a_watcher_that_raises_is_told_of_once_and_left_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watcher = Told(broken=1)
    told_of_a_run(guarded(watcher))
    assert [call[0] for call in watcher.calls] == [0, 1]
    assert capsys.readouterr() == ("", BROKEN)


def test_a_watcher_that_recovers_is_told_what_it_missed_and_nothing_twice() -> None:
    guard, watcher = Guard("MLflow"), Told(broken=0)
    run = guarded(watcher, guard)
    run.log(0, {})
    run.log(1, {})
    guard.wake()
    run.log(2, {})
    run.end("finished", {}, Path("run"))
    assert [call[0] for call in watcher.calls] == [0, 1, 2, "finished"]


def test_a_watcher_that_could_not_begin_begins_later() -> None:
    guard, watcher = Guard("MLflow"), Told()
    attempts = iter([OSError("it starts"), watcher])

    def begin() -> Watcher:
        found = next(attempts)
        if isinstance(found, Watcher):
            return found
        raise found

    run = Guarded(guard, "one", begin)
    run.log(0, {})
    guard.wake()
    run.log(1, {})
    assert [call[0] for call in watcher.calls] == [0, 1]


def test_one_line_tells_of_a_sweep_and_another_of_the_next(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_guard, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(tracker_guard, "PAUSES", 0)
    guard = Guard("MLflow")
    for _ in range(3):
        told_of_a_run(guarded(Told(broken=1), guard))
    assert capsys.readouterr().err == BROKEN
    assert os.environ[TOLD] == "one"  # which the processes of the sweep inherit
    told_of_a_run(guarded(Told(broken=1), guard, "two"))
    assert capsys.readouterr().err == BROKEN
    guard.begin()
    told_of_a_run(guarded(Told(broken=1), guard, "two"))
    assert capsys.readouterr().err == BROKEN


def test_what_failed_slowly_is_left_alone_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 10.0, 199.0, 211.0])
    monkeypatch.setattr("steelyard.tracking.tracker_guard.time.monotonic", lambda: next(now))
    guard, asked = Guard("MLflow"), []

    def fail() -> None:
        asked.append(1)
        raise TimeoutError

    guard.ask("one", fail)
    guard.ask("one", lambda: asked.append(2))
    guard.ask("one", lambda: asked.append(3))
    assert asked == [1, 3]


def test_the_reason_is_the_system_s_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as error:
            raise RuntimeError("a long story " * 100) from error

    Guard("MLflow").ask("one", fail)
    assert "every run: ConnectionRefusedError: [Errno 111] Connection refused (" in (
        capsys.readouterr().err
    )


def test_whoever_stops_a_run_stops_it_through_a_watcher_too() -> None:
    class Stopped(Watcher):
        def log(self, epoch: int, values: Mapping[str, float]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded(Stopped()).log(0, {})
