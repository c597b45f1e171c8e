"""What a sweep costs: in plain Keras, as one process a run, run by run, and as a population.

Every contender has a fresh process, and they follow one another. The clock is the wall's, so the
machine must do nothing else; `write` notes its load. A sweep of ours is the whole command, with
records, learning curves, the test, saved networks and MLflow; plain Keras does none of that.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

import sweeping
from population_figure import draw, seconds_by_case
from sweeps import CASES, Plan, planned

RESULT = Path(__file__).with_suffix(".md")
SCRIPT = str(Path(__file__).with_name("plain_keras.py"))


class Row(NamedTuple):
    """A contender, and its seconds."""

    name: str
    seconds: float  # of the whole sweep
    how: str


def main() -> None:
    """Measures, and writes a table a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--runs", type=int, default=0, help="at most so many; 0 for all")
    parser.add_argument("--epochs", type=int, default=0, help="in place of the case's")
    parser.add_argument("--sample", type=int, default=3, help="runs that stand for all; 0: all")
    options = parser.parse_args()
    machine = sweeping.machine()
    for name in options.case:
        plan = planned(CASES[name], options.runs, options.epochs, options.sample)
        rows: list[Row] = []
        print(f"{name}: {plan.n_runs} runs of {plan.epochs} epochs", flush=True)
        for measure in (of_population, of_basic, of_processes, of_keras_at_once, of_keras):
            found = measure(plan)
            rows += found
            for row in found:
                print(f"  {row.name:58} {row.seconds:8.1f} s   {row.how}", flush=True)
            write(name, plan, rows, machine)  # what is measured is not lost
        draw(seconds_by_case(RESULT.read_text(encoding="utf-8")))


def of_population(plan: Plan) -> list[Row]:
    """Returns the seconds of runs beside each other in one process."""
    timed = sweeping.sweep([*plan.sweep, "hydra/launcher=population"])
    first = f"first epoch of the first run after {timed.first_epoch:.1f} s"
    return [
        Row("**population**, imports excluded", timed.sweep, first),
        Row("population, imports included", timed.whole, f"{timed.n_runs} runs"),
    ]


def of_basic(plan: Plan) -> list[Row]:
    """Returns the seconds of runs one after another in one process, which share a trace."""
    n_weights = -(-2 * plan.sample // plan.n_seeds) if plan.sample else plan.n_weights
    part = plan._replace(n_weights=min(n_weights, plan.n_weights))
    timed = sweeping.sweep([*part.sweep, "hydra/launcher=basic"])
    n_times = plan.n_runs / timed.n_runs
    how = f"{timed.n_runs} runs, their tracing included" + (f", times {n_times:g}" * (n_times > 1))
    return [Row("run by run in one process, imports excluded", timed.sweep * n_times, how)]


def of_processes(plan: Plan) -> list[Row]:
    """Returns the seconds of one process a run."""
    runs = [sweeping.run(words) for words in plan.sampled]
    return [extrapolated("`steelyard train` for each run, imports included", runs, plan)]


def of_keras(plan: Plan) -> list[Row]:
    """Returns the seconds of Keras's `fit`, as it is by default."""
    return _of_keras(plan, "Keras, `fit`", is_whole=False)


def of_keras_at_once(plan: Plan) -> list[Row]:
    """Returns the seconds of Keras's `fit`, where an epoch is one execution."""
    return _of_keras(plan, "Keras, `fit`, `steps_per_execution` of an epoch", is_whole=True)


def _of_keras(plan: Plan, name: str, *, is_whole: bool) -> list[Row]:
    asked = json.dumps({"runs": plan.sampled, "is_whole": is_whole})
    _, told = sweeping.asked([sys.executable, SCRIPT, asked])
    return [extrapolated(f"{name}, imports excluded", told["runs"], plan, told["reading"])]


def extrapolated(name: str, runs: list[float], plan: Plan, once: float = 0.0) -> Row:
    """Returns the seconds of a sweep of which some runs were timed.

    Args:
        name: Of the contender.
        runs: Seconds of the runs that were timed.
        plan: Of the sweep.
        once: Seconds that all runs need together.
    """
    spread = f"{min(runs):.2f} to {max(runs):.2f} s a run"
    how = f"{len(runs)} runs timed, times {plan.n_runs}: " if len(runs) < plan.n_runs else ""
    return Row(name, once + statistics.mean(runs) * plan.n_runs, how + spread)


def write(name: str, plan: Plan, rows: list[Row], machine: str) -> None:
    """Writes the table of a case into the result; those of other cases stay."""
    case = plan.case
    base = rows[0].seconds
    words = f"{plan.n_weights} loss weights x " if plan.n_weights > 1 else ""
    lines = [
        *sweeping.smoke({"runs": (plan.n_runs, case.n_runs), "epochs": (plan.epochs, case.epochs)}),
        f"{case.about}; {words}{plan.n_seeds} seeds, {plan.epochs} epochs. {machine}",
        "",
        "| the sweep as | seconds | a run | times population | |",
        "|---|---:|---:|---:|---|",
        *(
            f"| {row.name} | {row.seconds:.1f} | {row.seconds / plan.n_runs:.2f} | "
            f"{row.seconds / base:.2f} | {row.how} |"
            for row in rows
        ),
    ]
    sweeping.write(RESULT, HEAD, f"`{name}`", lines)


HEAD = """# What a sweep costs

Written by `python benchmarks/population.py`. Every contender has a fresh process; time is that of
the clock on the wall. A sweep of ours is the whole command: configuration and checks, data,
tracing, training, measures after every epoch, the test, learning curves, saved networks, records
and MLflow. Plain Keras reads the same data once, and builds, compiles and fits the same network
for each run, with its own losses on validation after each epoch and nothing else; the session is
cleared between two runs. Where only some runs were timed, they are from all over the sweep.

![Seconds of each sweep](population.png)
"""

if __name__ == "__main__":
    main()
