"""`steelyard probe`: measures a network's heads in short runs, and prints weights to begin with."""

import argparse
import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from steelyard.analysis.probe import diagnosis
from steelyard.analysis.probe_tables import (
    LEGEND,
    grid,
    keras_weights,
    override,
    pair_rows,
    rows,
)
from steelyard.cli.compose import OWN_FOLDER, composed, composing
from steelyard.cli.parser import Parser
from steelyard.cli.validate import validate, without_hydra
from steelyard.construct import Refused, construct
from steelyard.identity import plain, source_of
from steelyard.run import prepare
from steelyard.voice import say

N_STEPS = 200
WIDTH = 120
FIXED = "Fixed"
OWN_KEYS = ("loss_weights", "weighting", "balance")  # of overrides that a sweep replaces
WHAT = """Trains each head alone for some steps, then all of them together, and says which loss
weights to begin with and why. Nothing is recorded. The overrides are those of `steelyard train`:
  steelyard probe experiment=posts
  steelyard probe data=diamonds model=shared_trunk --steps 400 --output probe.json"""


def main(arguments: Sequence[str]) -> int:
    """Prints what a probe finds, and returns the exit code."""
    parser = Parser(
        prog="steelyard probe",
        description=WHAT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        usage="steelyard probe [group=choice] [key=value] ... [--steps N] [--output FILE.json]",
    )
    parser.add_argument("--steps", type=int, default=N_STEPS, help=f"of each phase ({N_STEPS})")
    parser.add_argument("--output", type=Path, help="a file for the numbers, as JSON")
    given, overrides = parser.parse_known_args(list(arguments))
    if given.steps < 1:
        raise Refused(f"`--steps` must be at least 1, got {given.steps}.")
    if given.output is not None and given.output.is_dir():
        raise Refused(f"`--output` must be a file, got the folder {str(given.output)!r}.")
    _check(overrides)
    found = _measured(overrides, given.steps)
    _tell(found, overrides)
    if given.output is not None:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(_without_nan(found), indent=1, allow_nan=False)
        given.output.write_text(f"{text}\n", encoding="utf-8")
    return 0


def _check(overrides: Sequence[str]) -> None:
    """Refuses flags that a probe has no use for."""
    left = iter(overrides)
    for word in left:
        if word in OWN_FOLDER:
            next(left, None)
        elif word.startswith("-") and not word.startswith(tuple(f"{f}=" for f in OWN_FOLDER)):
            raise Refused(
                "`probe` must be given overrides, --steps, --output and --config-dir alone, got "
                f"{word!r}."
            )


def _measured(overrides: Sequence[str], n_steps: int) -> dict[str, Any]:
    with composing():
        whole = composed(overrides)
    config = without_hydra(whole)
    validate(config, whole.hydra)
    source = source_of(json.dumps(plain(config.data)))
    prepare(source)
    construct(config.runtime).prepare()
    from steelyard.training.pipeline import Parts  # noqa: PLC0415  after the threads are set
    from steelyard.training.probe import measure  # noqa: PLC0415

    parts = Parts(
        source=source,
        network=construct(config.model),
        weighting=construct(config.weighting),
        balance=construct(config.balance),
        optimizer=construct(config.optimizer),
        recipe=construct(config.training),
        loss_weights=plain(config.loss_weights),
        seeds=construct(config.seeds).drawn_from(config.seed),
    )
    with _Watching() as watching:
        try:
            return measure(parts, n_steps, watching.step)
        except ValueError as error:
            raise Refused(str(error)) from error


class _Watching:
    """Shows how far the probe has come: a bar on a terminal, a line a phase in a pipe."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.bars = Progress(*columns, console=console) if console.is_terminal else None
        self.known: dict[str, Any] = {}

    def __enter__(self) -> "_Watching":
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

    def step(self, what: str, n_taken: int, n_steps: int) -> None:
        """Is told of the steps that a phase has taken."""
        if self.bars:
            if what not in self.known:
                self.known[what] = self.bars.add_task(what, total=n_steps)
            self.bars.update(self.known[what], completed=n_taken)
        elif n_taken == n_steps:
            say(f"{what}: {n_taken} steps")


def _tell(found: dict[str, Any], overrides: Sequence[str]) -> None:
    """Prints the tables, the diagnosis, and what to type next."""
    out = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    weights = {head: values["weight"] for head, values in found["heads"].items()}
    if not found["pairs"]:
        n_heads = sum(weight > 0 for weight in weights.values())
        why = "no two heads share a layer" if n_heads > 1 else "one head is trained"
        print(f"There is nothing to balance, for {why}: {keras_weights(weights)}")
        return
    for table_rows in (rows(found), pair_rows(found)):
        table = Table(box=None, header_style="bold")
        for n, column in enumerate(table_rows[0]):
            table.add_column(column, justify="right" if n else "left")
        for row in table_rows[1:]:
            table.add_row(*map(escape, row))
        out.print(table, "")
    out.print(LEGEND.format(steps=found["steps"]), style="dim", markup=False)
    out.print()
    for line in diagnosis(found):
        out.print(line, markup=False)
    if found["weighting"] != FIXED:
        out.print(f"The weighting, {found['weighting']}, was left out: the heads were measured.")
    # Not wrapped, for these lines are to be copied.
    print(f"\nTo paste into Keras's compile:\n  {keras_weights(weights)}")
    print(f"To sweep around them:\n  {_sweep(weights, overrides)}")


def _sweep(weights: Mapping[str, float], overrides: Sequence[str]) -> str:
    """Returns the command that sweeps over loss weights around a probe's."""
    words = [word for word in overrides if not word.lstrip("+~").startswith(OWN_KEYS)]
    if any(word.startswith("experiment=") for word in words):
        words.append("hydra.sweeper.arms=[]")  # in place of the settings of the study
    points = ",".join(override(each) for each in grid(weights))
    return shlex.join(["steelyard", "train", "-m", *words, f"loss_weights={points}"])


def _without_nan(value: Any) -> Any:
    """Returns numbers as JSON can hold them: null for what is not a number."""
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
