"""How a population grows: with its runs, the model, the heads, the rows and the threads.

Each point is a sweep in a process of its own, on made-up tasks (`dials`).
"""

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import pyplot as plt

import sweeping

RESULT = Path(__file__).with_suffix(".md")
PICTURE = RESULT.with_suffix(".png")
N_RUNS, N_TRAIN = 8, 4096  # of a point, but where they are what grows
DIALS = {"scale": 1.0, "noise": 0.0, "labelled": 1.0}  # one number a head
HEADS = "as many entries of each dial"
LONGEST = 34  # letters in a line below an axis
SWEEP, FIRST, WHOLE = "#0072b2", "#d55e00", "#009e73"


class Scale(NamedTuple):
    """What grows, and the points at which it is measured."""

    about: str
    values: tuple[int, ...]
    epochs: int
    n_runs: int  # 0 where it is what grows
    words: tuple[str, ...]  # of the command line; {n} is the value


SCALES = {
    "replicas": Scale("runs of the sweep", (1, 2, 4, 8, 16, 32, 48, 64), 5, 0, ()),
    "width": Scale(
        "units in each of two layers", (16, 64, 256, 1024), 5, N_RUNS, ("model.trunk=[{n},{n}]",)
    ),
    "tasks": Scale("heads", (2, 4, 8, 16), 5, N_RUNS, (HEADS,)),
    "rows": Scale(
        "training examples, batch 256",
        (1_000, 10_000, 100_000, 1_000_000),
        2,
        4,
        ("data.n_train={n}", "training.batch_size=256"),
    ),
    "together": Scale(
        "runs at a time", (1, 2, 3, 4), 5, N_RUNS, ("hydra.launcher.n_together={n}",)
    ),
    "intra_op": Scale(
        "threads within an operation (0: as TensorFlow likes)",
        (0, 1),
        5,
        N_RUNS,
        ("runtime.intra_op_threads={n}",),
    ),
}


class Point(NamedTuple):
    """A value, and the seconds at it."""

    value: int
    timed: sweeping.Timed


def main() -> None:
    """Measures, and writes tables and a picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=SCALES, default=list(SCALES))
    parser.add_argument("--largest", type=int, default=0, help="values up to it; 0 for all")
    parser.add_argument("--runs", type=int, default=0, help="at most so many; 0 for all")
    parser.add_argument("--epochs", type=int, default=0, help="at most so many; 0 for all")
    options = parser.parse_args()
    machine = sweeping.machine()
    found: dict[str, list[Point]] = {}
    is_smoke = bool(options.largest or options.runs or options.epochs)
    for name in options.only:
        scale = SCALES[name]
        epochs = min(options.epochs or scale.epochs, scale.epochs)
        found[name] = []
        for value in scale.values:
            if not options.largest or value <= options.largest:
                n_runs = scale.n_runs or value
                n_runs = min(options.runs or n_runs, n_runs)
                timed = sweeping.sweep(words_of(scale, value, n_runs, epochs))
                found[name].append(Point(value, timed))
                print(f"{name:9} {value:9,}  {told(timed)}", flush=True)
        write(name, found[name], epochs, machine, is_smoke=is_smoke)
    draw(found, is_smoke=is_smoke)


def words_of(scale: Scale, value: int, n_runs: int, epochs: int) -> list[str]:
    """Returns the command line of a point."""
    dials = [f"data.{dial}={[number] * value}" for dial, number in DIALS.items()]
    words = [
        word
        for given in scale.words
        for word in (dials if given == HEADS else [given.format(n=value)])
    ]
    return [
        *("data=dials", "model=shared_trunk", "hydra/launcher=population"),
        *(f"data.n_train={N_TRAIN}", f"training.epochs={epochs}", f"seed=range(0,{n_runs})"),
        *words,
    ]


def told(timed: sweeping.Timed) -> str:
    """Returns a point's seconds as a row of the table."""
    return (
        f"{timed.n_runs} | {timed.sweep:.1f} | {timed.sweep / timed.n_runs:.2f} | "
        f"{timed.first_epoch:.1f} | {timed.whole:.1f}"
    )


def write(name: str, points: Sequence[Point], epochs: int, machine: str, *, is_smoke: bool) -> None:
    """Writes the table of what grows into the result; those of others stay."""
    scale = SCALES[name]
    lines = [
        *(SMOKE if is_smoke else []),
        f"{scale.about[:1].upper()}{scale.about[1:]}; {epochs} epochs. {machine}",
        "",
        "| value | runs | seconds | a run | until the first epoch | imports included |",
        "|---:|---:|---:|---:|---:|---:|",
        *(f"| {point.value:,} | {told(point.timed)} |" for point in points),
        *late(name, points),
    ]
    sweeping.write(RESULT, HEAD, f"`{name}`", lines)


def late(name: str, points: Sequence[Point]) -> list[str]:
    """Returns how much later 48 runs have their first epoch than two, where both were measured."""
    first = {point.value: point.timed.first_epoch for point in points}
    few, many = 2, 48
    if name != "replicas" or not {few, many} <= set(first):
        return []
    later = first[many] - first[few]
    return [
        "",
        f"The first epoch of {many} runs ends {later:.1f} s later than that of {few}; allowed: 20.",
    ]


def draw(found: dict[str, list[Point]], *, is_smoke: bool) -> None:
    """Draws all tables: a panel for each thing that grows."""
    columns = 3
    rows = -(-len(found) // columns)
    figure, panels = plt.subplots(
        rows, columns, figsize=(11, 3.4 * rows), squeeze=False, layout="constrained"
    )
    for axes in panels.flat[len(found) :]:
        axes.set_axis_off()
    for axes, (name, points) in zip(panels.flat, found.items(), strict=False):
        values = [point.value for point in points]
        for colour, marker, label, seconds in (
            (WHOLE, "s", "sweep, with imports", [each.timed.whole for each in points]),
            (SWEEP, "o", "sweep", [each.timed.sweep for each in points]),
            (FIRST, "^", "until the first epoch", [each.timed.first_epoch for each in points]),
        ):
            axes.plot(values, seconds, color=colour, marker=marker, label=label)
        if max(values) > 4 * max(min(values), 1):
            axes.set_xscale("log")
        axes.set_xticks(values, [f"{value:,}" for value in values])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel(textwrap.fill(SCALES[name].about, LONGEST))
        axes.set_ylabel("seconds")
        axes.set_title(name, loc="left")
        axes.grid(alpha=0.3)
    panels.flat[0].legend(frameon=False)
    title = "How a population grows" + (": smoke run, no results" if is_smoke else "")
    figure.suptitle(title, x=0.01, ha="left")
    figure.savefig(PICTURE, dpi=120, metadata={"Software": None})
    plt.close(figure)


SMOKE = [
    "**Smoke run: fewer values, runs or epochs than the script has by default. It shows that the "
    "script works; its numbers are not results.**",
    "",
]
HEAD = f"""# How a population grows

Written by `python benchmarks/scaling.py`. Each row is a sweep in a process of its own, through
`hydra/launcher=population`, of `shared_trunk` on `dials`: {N_RUNS} seeds, {N_TRAIN:,} examples and
batches of 64, but where the table says otherwise. Seconds are those of the clock on the wall, from
the command to its end, with records and MLflow, imports excluded unless it is said.

![Seconds against all that grows](scaling.png)
"""

if __name__ == "__main__":
    main()
