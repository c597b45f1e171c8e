"""What shows runs may fail, and the runs go on: it is told in one line, and asked again later."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

from steelyard.tracking.tracker import Watcher
from steelyard.voice import say

TOLD = "STEELYARD_NOT_SHOWN"  # the variable that names the sweep whose user was told of it
PAUSE_SECONDS = 30.0  # the least time for which nothing is asked after a failure
PAUSES = 20  # times as long as the failure took, so that all waiting is at most 5 % of a sweep
LONGEST_REASON = 200  # characters
Answer = TypeVar("Answer")


class Guard:
    """Asks something that may fail, one thread at a time, and leaves it alone after it has.

    A variable says that a failure was told, for the processes of a sweep inherit it.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.rests_until = 0.0

    def wake(self) -> None:
        """Asks at once, whatever failed before."""
        self.rests_until = 0.0

    def begin(self) -> None:
        """Asks at once, and tells of the next failure: another sweep begins."""
        self.wake()
        os.environ.pop(TOLD, None)

    def ask(self, told_as: str, ask: Callable[[], Answer]) -> Answer | None:
        """Returns the answer; None where it failed now or a moment ago.

        Args:
            told_as: The sweep or run that is not shown; of each, the first failure is told.
            ask: What may fail.
        """
        began = time.monotonic()
        if began < self.rests_until:
            return None
        try:
            return ask()
        except Exception as error:  # whatever it is, the records do not depend on it
            now = time.monotonic()
            self.rests_until = now + max(PAUSE_SECONDS, PAUSES * (now - began))
            if os.environ.get(TOLD) != told_as:
                os.environ[TOLD] = told_as
                why = f"{self.place} does not show every run: {reason_of(error)}"
                rest = "training goes on, and the same command, given again, shows it"
                say(f"{why} ({rest})")
            return None


@cache
def guard_of(place: str) -> Guard:
    """Returns the guard of a place, which all runs of a process share."""
    return Guard(place)


class Guarded(Watcher):
    """Keeps a run going when what shows it fails; what was missed is told when it answers again."""

    def __init__(self, guard: Guard, told_as: str, begin: Callable[[], Watcher]) -> None:
        self.guard, self.told_as, self.begin = guard, told_as, begin
        self.watcher: Watcher | None = None
        self.missed: list[tuple[int, Mapping[str, float]]] = []
        self.guard.ask(told_as, self._watcher)

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        self.missed.append((epoch, values))
        self.guard.ask(self.told_as, self._catch_up)

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        def tell() -> None:
            self._catch_up()
            self._watcher().end(status, record, folder)

        self.guard.ask(self.told_as, tell)

    def _watcher(self) -> Watcher:
        if self.watcher is None:
            self.watcher = self.begin()
        return self.watcher

    def _catch_up(self) -> None:
        """Tells each epoch once: what a watcher was told and could not write, it keeps."""
        watcher = self._watcher()
        while self.missed:
            watcher.log(*self.missed.pop(0))


def reason_of(error: BaseException) -> str:
    """Returns why something failed: by the system's error beneath it, where there is one."""
    found, cause = error, error.__cause__ or error.__context__
    while cause is not None:
        found = cause if isinstance(cause, OSError) else found
        cause = cause.__cause__ or cause.__context__
    first = str(found).strip().partition("\n")[0]
    return shorten(f"{type(found).__name__}: {first}", LONGEST_REASON, placeholder=" ...")
