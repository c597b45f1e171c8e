"""`steelyard gather`: collects the records of a study's runs into two small tables."""

from collections.abc import Sequence
from pathlib import Path

from steelyard.analysis.tables import curves_of, row_of, write_csv
from steelyard.cli.parser import Parser
from steelyard.cli.study import CURVES, RUNS, folder_of, named_study, read_plan
from steelyard.construct import Refused
from steelyard.sweep.marks import words_of
from steelyard.tracking.record import RunFolder

WHAT = "Collects the records of a study's runs into experiments/<study>/runs.csv and curves.csv."


def _with_output(parser: Parser) -> None:
    parser.add_argument("--output", default="outputs", help="where the runs are (outputs)")


def main(arguments: Sequence[str]) -> int:
    """Writes the tables of a study, and returns the exit code."""
    given = named_study("gather", WHAT, arguments, _with_output)
    planned = read_plan(given.study)["runs"]
    folders = [RunFolder(Path(given.output), run["run_key"]) for run in planned]
    records = [folder.last() for folder in folders]
    missing = [run for run, record in zip(planned, records, strict=True) if record is None]
    if missing:
        raise Refused(
            f"`{given.study}` must have a record of each of its {len(planned)} runs, got "
            f"{len(missing)} without one; train them: steelyard train -m experiment={given.study}."
        )
    rows, curves = [], []
    for run, folder, record in zip(planned, folders, records, strict=True):
        name = {"setting": run["setting"], "seed": run["seed"], **words_of(run)}
        rows.append({**name, **row_of(record or {})})
        curves += [{**name, **each} for each in curves_of(folder.history())]
    write_csv(folder_of(given.study) / RUNS, rows)
    write_csv(folder_of(given.study) / CURVES, curves)
    n_failed = sum(row["status"] == "failed" for row in rows)
    print(f"{len(rows)} runs, {n_failed} of them failed: {folder_of(given.study) / RUNS}")
    return 0
