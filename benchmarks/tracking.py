"""What writing down costs: the share of a population's time in records, curves and MLflow.

Timers stand around all that writes or draws, in the process that trains. One run trains at a time
unless it is told otherwise, for the seconds of one item would else be those of another run too.
With `--stacked` runs take their steps together, as small ones do by default; the threads of a stack
wait for each other while they write, so there the share is the one of the processor's time.
"""

import argparse
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import sweeping

RESULT = Path(__file__).with_suffix(".md")
N_RUNS, EPOCHS, N_TRAIN = 48, 10, 500_000
N_STACKED = 10_000  # examples with which an epoch of all stacked runs takes a second
ALONE = ("model.trunk=[50,50]",)  # widths that are not stacked: a run's epochs are then its own


class Item(NamedTuple):
    """What an item has taken so far."""

    calls: int = 0
    wall: float = 0.0  # seconds
    processor: float = 0.0  # of its own thread


class Timers:
    """Seconds by item; where one item calls another, they are the outer one's."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = defaultdict(Item)
        self.lock = threading.Lock()
        self.inside = threading.local()

    def around(self, owner: Any, name: str, item: str) -> None:
        """Sets a timer around a function or a method."""
        work: Callable[..., Any] = getattr(owner, name)

        @wraps(work)
        def timed(*given: Any, **named: Any) -> Any:
            if getattr(self.inside, "item", None):
                return work(*given, **named)
            self.inside.item = item
            wall, processor = time.perf_counter(), time.thread_time()
            try:
                return work(*given, **named)
            finally:
                wall, processor = time.perf_counter() - wall, time.thread_time() - processor
                self.inside.item = None
                with self.lock:
                    old = self.items[item]
                    self.items[item] = Item(
                        old.calls + 1, old.wall + wall, old.processor + processor
                    )

        setattr(owner, name, timed)


def main() -> None:
    """Trains, and writes a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=N_RUNS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--rows", type=int, default=0, help="so that an epoch takes a second")
    parser.add_argument("--together", type=int, default=1, help="runs that train at a time")
    parser.add_argument("--stacked", action="store_true", help="runs take their steps together")
    options = parser.parse_args()
    full_size = N_STACKED if options.stacked else N_TRAIN
    options.rows = options.rows or full_size
    together = 0 if options.stacked else options.together
    machine = sweeping.machine()
    os.environ.update(sweeping.QUIET)
    sweeping.heavy()
    timers = Timers()
    set_timers(timers)
    with tempfile.TemporaryDirectory() as output:
        processor = time.process_time()
        seconds = sweeping.watched(
            [
                *("-m", "data=dials", "model=shared_trunk", "hydra/launcher=population"),
                *(f"data.n_train={options.rows}", f"training.epochs={options.epochs}"),
                *("training.batch_size=256", *(() if options.stacked else ALONE)),
                f"seed=range(0,{options.runs})",
                *(f"hydra.launcher.n_together={together}", f"output={output}"),
            ]
        )["sweep"]
        processor = time.process_time() - processor
    lines = table(options, timers.items, seconds, processor)
    lines = [lines[0], "", machine, *lines[1:]]
    full = {"runs": (options.runs, N_RUNS), "epochs": (options.epochs, EPOCHS)}
    lines = [*sweeping.smoke({**full, "rows": (options.rows, full_size)}), *lines]
    sweeping.write(RESULT, HEAD, title(options), lines)
    print("\n".join(lines))


def title(options: argparse.Namespace) -> str:
    """Returns what the runs of a sweep do together."""
    if options.stacked:
        return "Runs in stacks, as by default"
    return "One run at a time" if options.together == 1 else f"{options.together} runs at a time"


def set_timers(timers: Timers) -> None:
    """Sets a timer around all that a run writes, shows or draws, and around its training."""
    import keras  # noqa: PLC0415  after the variables are set

    from steelyard.cli.progress import Watching  # noqa: PLC0415
    from steelyard.tracking import curves  # noqa: PLC0415
    from steelyard.tracking.mlflow import MlflowTracker, MlflowWatcher  # noqa: PLC0415
    from steelyard.tracking.record import RunFolder  # noqa: PLC0415
    from steelyard.training import checkpoint  # noqa: PLC0415
    from steelyard.training.course import Course  # noqa: PLC0415

    for owner, name, item in (
        (Course, "train", TRAINING),
        (MlflowTracker, "begin_sweep", "MLflow: the sweep's begin and end"),
        (MlflowTracker, "end_sweep", "MLflow: the sweep's begin and end"),
        (MlflowTracker, "begin", "MLflow: a run begins"),
        (MlflowWatcher, "log", "MLflow: an epoch's values"),
        (MlflowWatcher, "end", "MLflow: a run ends"),
        (RunFolder, "begin", "record: configuration"),
        (RunFolder, "keep_fitted", "record: what was learnt of the data"),
        (RunFolder, "end", "record: history and record"),
        (checkpoint, "load", "checkpoint: look for one"),
        (checkpoint, "save", "checkpoint: save"),
        (keras.Model, "save", "network: save"),
        (curves, "draw", "curves: draw"),
        (Watching, "epoch", "progress: an epoch"),
        (Watching, "done", "progress: a run ends"),
    ):
        timers.around(owner, name, item)


TRAINING = "(training: all epochs, with tracing)"


def table(
    options: argparse.Namespace, items: dict[str, Item], seconds: float, processor: float
) -> list[str]:
    """Returns the facts and the lines of the table, the largest item first."""
    written = {name: item for name, item in items.items() if name != TRAINING}
    training = items[TRAINING]
    lanes = options.together * seconds
    whole = sum(item.wall for item in written.values())
    in_processor = sum(item.processor for item in written.values())
    did = (
        f"{options.runs} runs of {options.epochs} epochs, {options.rows:,} examples, batches of "
        f"256: {seconds:.1f} s on the wall, {processor:.1f} s of the processor."
    )
    if options.stacked:
        return [
            f"{did} An epoch of all runs takes {seconds / options.epochs:.1f} s, the start spread "
            f"over them. **Writing down takes {in_processor:.1f} s of the processor, "
            f"{100 * in_processor / processor:.1f}% of its time.**",
            "",
            "| item | calls | ms of the processor a call | ms a run | % of its time |",
            "|---|---:|---:|---:|---:|",
            *(
                f"| {name} | {item.calls} | {1000 * item.processor / item.calls:.1f} | "
                f"{1000 * item.processor / options.runs:.1f} | "
                f"{100 * item.processor / processor:.2f} |"
                for name, item in sorted(written.items(), key=lambda each: -each[1].processor)
            ),
        ]
    return [
        f"{did} An epoch trains for {training.wall / training.calls:.2f} s. **Writing down takes "
        f"{whole:.1f} s, {100 * whole / lanes:.1f}% of the time** "
        f"({in_processor:.1f} s of the processor).",
        "",
        "| item | calls | ms a call | ms a run | % of the time |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {item.calls} | {1000 * item.wall / item.calls:.1f} | "
            f"{1000 * item.wall / options.runs:.1f} | {100 * item.wall / lanes:.2f} |"
            for name, item in sorted(items.items(), key=lambda each: -each[1].wall)
        ),
    ]


HEAD = """# What writing down costs

Written by `python benchmarks/tracking.py`, and again with `--stacked`: a
population of `shared_trunk` on `dials`, with epochs of about a second, and a timer around all that
is written, shown or drawn. The time is that of the whole sweep, from the command to its end,
imports excluded, times the runs that train at a time.
"""

if __name__ == "__main__":
    main()
