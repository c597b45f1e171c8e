"""What a tracker is: told of a run as it goes, beside the record that is always written."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Identity(NamedTuple):
    """Which run it is, for people and for comparison."""

    key: str
    name: str
    study: str
    sweep: str  # empty for a run by itself
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """Writes the record alone, and is what other trackers extend.

    Attributes:
        checkpoint_seconds: The least time between two checkpoints of a run.
    """

    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.checkpoint_seconds < 0:
            raise ValueError(
                f"`checkpoint_seconds` must be at least 0, got {self.checkpoint_seconds}."
            )

    def begin(self, output: Path, run: Identity, config: Mapping[str, Any]) -> "Watcher":
        """Returns what is told of the run from now on."""
        return Watcher()

    def mirror(
        self,
        output: Path,
        run: Identity,
        folder: Path,
        record: Mapping[str, Any],
        history: Sequence[Mapping[str, float]],
    ) -> None:
        """Shows an ended run that was recorded before, unless it is shown already."""

    def begin_sweep(self, output: Path, study: str, sweep: str, command: str) -> None:
        """Is told that a sweep begins."""

    def end_sweep(
        self, output: Path, study: str, sweep: str, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Is told that a sweep is over, with a row for each of its runs."""


class Watcher:
    """Is told of one run as it goes."""

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """Is told the values of an epoch."""

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        """Is told that the run is over: `finished`, `diverged`, `failed` or `killed`."""


class Guarded(Watcher):
    """Keeps a run going when what shows it fails; the run is shown when it is asked for again."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.has_failed = False

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        self._told(lambda: self.watcher.log(epoch, values))

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        self._told(lambda: self.watcher.end(status, record, folder))

    def _told(self, tell: Callable[[], None]) -> None:
        if self.has_failed:
            return
        try:
            tell()
        except Exception as error:  # whatever it is, the record does not depend on it
            self.has_failed = True
            why = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"The run goes on, but is not shown: {why}", file=sys.stderr)
