"""What a tracker is: told of a run as it goes, beside the record that is always written."""

from collections.abc import Collection, Mapping, Sequence
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

    No method raises what can be expected to go wrong: that a run is not shown does not fail it.
    One thread at a time calls them.

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
        self,
        output: Path,
        study: str,
        sweep: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        was_cut_off: bool = False,
    ) -> None:
        """Is told that a sweep is over, or was cut off, with a row for each run that has ended."""

    def show_report(
        self, output: Path, study: str, folder: Path, words: str, best: Collection[str]
    ) -> None:
        """Is told of a study's report: its folder, its answer, and the keys of its best runs."""


class Watcher:
    """Is told of one run as it goes."""

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """Is told the values of an epoch."""

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        """Is told that the run is over: `finished`, `diverged`, `failed` or `killed`."""
