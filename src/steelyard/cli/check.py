"""`steelyard check`: trains a few runs of a study again, and compares them with its results."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from steelyard.analysis.recommend import recommend
from steelyard.analysis.study import EQUAL, Study
from steelyard.analysis.tables import read_csv
from steelyard.cli.compose import composed, composing
from steelyard.cli.parser import Parser
from steelyard.cli.study import RUNS, folder_of, named_study, read_plan
from steelyard.cli.train import Runs, tell
from steelyard.cli.validate import validate_sweep, without_hydra
from steelyard.construct import Refused

WHAT = "Trains a few runs of a study again, and compares them with its committed numbers."
LEAST = 0.02  # a difference below this share of the number is rounding's, on another processor
SPREADS = 3.0  # ... and so is one within so many deviations over the seeds


def _with_runs(parser: Parser) -> None:
    parser.add_argument("--runs", type=int, default=3, help="how many (3)")


def main(arguments: Sequence[str]) -> int:
    """Trains and compares, and returns the exit code: 1 where a number is off."""
    given = named_study("check", WHAT, arguments, _with_runs)
    study = given.study
    path = folder_of(study) / RUNS
    if not path.is_file():
        raise Refused(f"`{path}` must be made first: steelyard gather {study}.")
    committed = read_csv(path)
    chosen = choose(Study.read(folder_of(study)), given.runs)
    planned = [run for run in read_plan(study)["runs"] if (run["setting"], run["seed"]) in chosen]
    with composing():
        whole = [composed([f"experiment={study}", *run["overrides"]]) for run in planned]
    validate_sweep(whole)
    runs = Runs(f"check-{study}", f"steelyard check {study}", n_runs=len(whole))
    try:
        for config in whole:
            runs.task(without_hydra(config))
    finally:
        runs.close()
    tell(runs)
    if runs.failures:
        return 1
    records = [done.record for done in runs.done]
    return compare(records, committed)


def choose(study: Study, n_runs: int) -> set[tuple[str, int]]:
    """Returns a few runs that tell most: equal weights, the best ones, and then the others."""
    answer = recommend(study)
    first = [EQUAL] if EQUAL in study.settings else []
    first += [answer.setting] if answer else []
    first += [answer.method] if answer and answer.method else []
    ordered = list(dict.fromkeys([*first, *study.settings]))
    return {(setting, study.seeds[0]) for setting in ordered[:n_runs]}


def compare(records: Sequence[dict[str, Any]], committed: pd.DataFrame) -> int:
    """Prints each test number beside the committed one, and returns 1 where one is off."""
    table = Table(box=None, header_style="bold")
    for name in ("run", "measure", "committed", "now", "difference", "allowed"):
        table.add_column(name, justify="left" if name in {"run", "measure"} else "right")
    n_off = n_same = n_all = 0
    for record in records:
        rows = committed[committed["run_key"] == record["run_key"]]
        if rows.empty:
            print(f"{record['name']}: has no committed number; run dvc repro first.")
            return 1
        row = rows.iloc[0]
        seeds = committed[committed["setting"] == row["setting"]]
        for measure, now in record["test"].items():
            name = f"test/{measure}"
            was = float(row[name])
            spread = float(seeds[name].std()) if len(seeds) > 1 else 0.0
            allowed = max(LEAST * abs(was), SPREADS * (0 if math.isnan(spread) else spread))
            difference = float(f"{now:.6g}") - was
            is_off = not abs(difference) <= allowed
            n_all, n_off, n_same = n_all + 1, n_off + is_off, n_same + (difference == 0)
            if is_off or measure.endswith(("/loss", "score")):
                cells = (f"{each:.6g}" for each in (was, now, difference, allowed))
                table.add_row(record["name"], measure, *cells, style="red" if is_off else None)
    console = Console(width=120, highlight=False)
    console.print(table)
    console.print(
        f"{n_all} numbers compared with the committed ones: {n_same} the same to six digits, "
        f"{n_all - n_same - n_off} within rounding, {n_off} off."
    )
    return 1 if n_off else 0
