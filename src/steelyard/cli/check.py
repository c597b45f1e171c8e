"""`steelyard check`: trains a few runs of a study again, and compares them with its results."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console
from rich.table import Table

from steelyard.analysis.axes import ACROSS, SETTING, TUNED
from steelyard.analysis.recommend import recommend
from steelyard.analysis.study import EQUAL, Study
from steelyard.analysis.tables import read_csv
from steelyard.cli.compose import composed, composing
from steelyard.cli.parser import Parser
from steelyard.cli.study import PLAN, RUNS, folder_of, named_study, read_plan
from steelyard.cli.train import Runs, tell
from steelyard.cli.validate import validate_sweep, without_hydra
from steelyard.construct import Refused

WHAT = "Trains a few runs of a study again, and compares them with its committed numbers."
LEAST = 0.02  # a difference below this share of the number is rounding's, on another processor
SPREADS = 3.0  # ... and so is one within so many deviations over the seeds
SPLIT = "test/"


class Pair(NamedTuple):
    """A test number of a run: the committed one, and that of the run trained again.

    NaN stands for one that is not there.
    """

    run: str
    measure: str
    was: float
    now: float
    allowed: float

    @property
    def difference(self) -> float:
        """By how much the new number is larger, to the digits that tables keep."""
        return float(f"{self.now:.6g}") - self.was

    @property
    def is_off(self) -> bool:
        """Whether they differ by more than is allowed, or one is not there."""
        return not abs(self.difference) <= self.allowed


def _with_runs(parser: Parser) -> None:
    parser.add_argument("--runs", type=int, default=3, help="how many (3)")


def main(arguments: Sequence[str]) -> int:
    """Trains and compares, and returns the exit code: 1 where a number is off."""
    given = named_study("check", WHAT, arguments, _with_runs)
    study = given.study
    if given.runs < 1:
        raise Refused(f"`--runs` must be at least 1, got {given.runs}.")
    path = folder_of(study) / RUNS
    if not path.is_file():
        raise Refused(f"`{path}` must be made first: steelyard gather {study}.")
    committed = read_csv(path)
    planned = planned_of(study, choose(Study.read(folder_of(study)), given.runs))
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


def choose(study: Study, n_runs: int) -> list[str]:
    """Returns the keys of a few runs that tell most: those of the first seed before all others.

    They are of equal weights, the best settings, and then the others, each at the tuned value that
    is best on validation; of a study across conditions, those of the first condition come first.
    """
    runs = []
    for place, part in enumerate(study.parts.values() or [study]):
        ranks = {setting: rank for rank, setting in enumerate(_ordered(part))}
        for row in part.runs.itertuples():
            if row.setting in ranks:
                runs.append((int(row.seed), place, ranks[row.setting], str(row.run_key)))
    return [key for *_, key in sorted(runs)[:n_runs]]


def _ordered(study: Study) -> list[str]:
    """Returns the settings of a study, those that tell most first."""
    answer = recommend(study)
    first = [EQUAL] if EQUAL in study.settings else []
    first += [answer.setting] if answer else []
    first += [answer.method] if answer and answer.method else []
    return list(dict.fromkeys([*first, *study.settings]))


def planned_of(study: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the runs of a study's plan that have these keys.

    Raises:
        Refused: The plan is of other runs than the committed numbers.
    """
    plan = {run["run_key"]: run for run in read_plan(study)["runs"]}
    for key in keys:
        if key not in plan:
            raise Refused(
                f"`{folder_of(study) / PLAN}` must list the runs of {RUNS}, got none with the key "
                f"{key}; run dvc repro first."
            )
    return [plan[key] for key in keys]


def compare(records: Sequence[Mapping[str, Any]], committed: pd.DataFrame) -> int:
    """Prints each test number beside the committed one, and returns 1 where one is off.

    So is a run that ended otherwise than the committed one, and so is nothing to compare.
    """
    pairs: list[Pair] = []
    ended_otherwise = []
    for record in records:
        rows = committed[committed["run_key"] == record["run_key"]]
        if rows.empty:
            print(f"{record['name']}: has no committed number; run dvc repro first.")
            return 1
        was, now = rows.iloc[0]["status"], record["status"]
        if was != now:
            ended_otherwise.append(f"{record['name']} is off: it {now}, the committed run {was}.")
        pairs += _pairs(record, rows.iloc[0], committed)
    console = Console(width=120, highlight=False)
    console.print(_table(pairs))
    n_off = sum(pair.is_off for pair in pairs)
    n_same = sum(pair.difference == 0 for pair in pairs)
    console.print(
        f"{len(pairs)} numbers compared with the committed ones: {n_same} the same to six digits, "
        f"{len(pairs) - n_same - n_off} within rounding, {n_off} off."
    )
    for line in ended_otherwise or ([] if pairs else ["There was nothing to compare."]):
        console.print(line, style="red", markup=False)
    return 1 if n_off or ended_otherwise or not pairs else 0


def _pairs(
    record: Mapping[str, Any], row: "pd.Series[Any]", committed: pd.DataFrame
) -> Iterator[Pair]:
    """Yields the test numbers that a run has, or that its committed row [columns] has."""
    axes = [name for name in (SETTING, TUNED, ACROSS) if name in committed]
    seeds = committed[(committed[axes] == row[axes]).all(axis=1)]
    names = [name for name in committed if name.startswith(SPLIT)]
    for name in dict.fromkeys([*names, *(f"{SPLIT}{measure}" for measure in record["test"])]):
        measure = name.removeprefix(SPLIT)
        was, now = _number(row.get(name)), _number(record["test"].get(measure))
        if math.isnan(was) and math.isnan(now):
            continue  # it is of another head's run, or of a head without labels on the test
        spread = float(seeds[name].std()) if name in seeds and len(seeds) > 1 else 0.0
        allowed = max(LEAST * abs(was), SPREADS * (0 if math.isnan(spread) else spread))
        yield Pair(record["name"], measure, was, now, allowed)


def _table(pairs: Sequence[Pair]) -> Table:
    """Returns a table of what is off, and of the numbers that a reader looks for first."""
    table = Table(box=None, header_style="bold")
    for name in ("run", "measure", "committed", "now", "difference", "allowed"):
        table.add_column(name, justify="left" if name in {"run", "measure"} else "right")
    for pair in pairs:
        if pair.is_off or pair.measure.endswith(("/loss", "score")):
            values = (pair.was, pair.now, pair.difference, pair.allowed)
            cells = ("-" if math.isnan(value) else f"{value:.6g}" for value in values)
            table.add_row(pair.run, pair.measure, *cells, style="red" if pair.is_off else None)
    return table


def _number(value: Any) -> float:
    return math.nan if value is None or pd.isna(value) else float(value)
