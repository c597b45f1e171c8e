"""How far a run or a sweep has come: bars on a terminal, plain lines in a pipe."""

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from steelyard.run import Done
from steelyard.tracking.tracker import Identity
from steelyard.voice import say


class Watching:
    """Shows the runs of one command as they go."""

    def __init__(self, n_runs: int) -> None:
        self.n_runs = n_runs
        self.n_done = 0
        self.began = time.monotonic()
        self.n_trained = 0
        console = Console(stderr=True)
        self.bars: Progress | None = None
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self.bars = Progress(*columns, TimeRemainingColumn(), console=console)
            self.sweep_bar = self.bars.add_task("runs", total=n_runs, visible=n_runs > 1)
            self.run_bars = {0: self.bars.add_task("waiting", total=None)}  # by lane

    def __enter__(self) -> "Watching":
        if self.bars:
            self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self.bars:
            self.bars.stop()

    def begin(self, n_epochs: int, lane: int = 0) -> None:
        """Is told that a run begins; those that go at the same time have each a lane."""
        self.n_epochs = n_epochs
        if self.bars:
            if lane not in self.run_bars:
                self.run_bars[lane] = self.bars.add_task("waiting", total=None)
            self.bars.reset(self.run_bars[lane], total=n_epochs, description="reading data")

    def epoch(
        self, identity: Identity, epoch: int, values: Mapping[str, float], lane: int = 0
    ) -> None:
        """Is told of an epoch."""
        losses = _losses(values)
        if self.bars:
            text = f"{identity.name}  {losses}"
            self.bars.update(self.run_bars[lane], completed=epoch + 1, description=text)
        elif self.n_runs == 1:
            self._say(f"epoch {epoch + 1}/{self.n_epochs}  {losses}")

    def done(self, done: Done) -> None:
        """Is told that a run is over."""
        record = done.record
        what = (
            f"{record['status']} in {record['seconds']:.0f} s"
            if done.is_new
            else "is there already"
        )
        self._step(f"{done.identity.name}: {what}  {_losses(record['best'], 'best ')}", done.is_new)
        for alarm in record["alarms"] if done.is_new else []:
            self._print(f"    alarm: {alarm}")

    def failed(self, name: str, error: str) -> None:
        """Is told that a run failed."""
        self._step(f"{name}: failed: {error}", is_new=True)

    def _step(self, text: str, is_new: bool) -> None:
        self.n_done += 1
        self.n_trained += is_new
        if self.bars:
            self.bars.update(self.sweep_bar, completed=self.n_done)
            self._print(text)
        else:
            left = ""
            if self.n_trained and self.n_done < self.n_runs:
                each = (time.monotonic() - self.began) / self.n_trained
                left = f"  (about {each * (self.n_runs - self.n_done) / 60:.0f} min left)"
            self._print(f"[{self.n_done}/{self.n_runs}] {text}{left}")

    def _print(self, text: str) -> None:
        if self.bars:
            self.bars.console.print(text, highlight=False, markup=False)
        else:
            self._say(text)

    def _say(self, text: str) -> None:
        say(text)


def _losses(values: Mapping[str, float | None], lead: str = "") -> str:
    """Returns the validation losses, head by head, on one line."""
    told = []
    for name, value in values.items():
        parts = name.removeprefix("valid/").split("/")
        if len(parts) == 2 and parts[1] == "loss" and value is not None and parts[0] != "train":  # noqa: PLR2004
            told.append(f"{parts[0]} {value:.4g}")
    return f"{lead}valid loss: {', '.join(told)}" if told else ""
