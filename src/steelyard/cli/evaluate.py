"""`steelyard evaluate`: repeats the test of a finished run from its saved network."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from steelyard.cli.parser import Parser
from steelyard.cli.predict import ended, settings_of
from steelyard.construct import Refused, construct
from steelyard.identity import source_of
from steelyard.run import prepare
from steelyard.tracking.record import NETWORK

WHAT = "Repeats the test of a finished run from its saved network, and compares it with the record."


def main(arguments: Sequence[str]) -> int:
    """Prints the numbers of the test, and returns the exit code: 1 where one differs."""
    parser = Parser(prog="steelyard evaluate", description=WHAT)
    parser.add_argument("run", help="its key (or the key's beginning), its name, or its folder")
    parser.add_argument("--output", default="outputs", help="where the runs are (outputs)")
    given = parser.parse_args(list(arguments))
    folder = ended(given.output, given.run)
    record: dict[str, Any] = folder.record() or {}
    settings = settings_of(folder)
    source = source_of(json.dumps(settings["data"]))
    prepare(source)
    construct(settings["runtime"]).prepare()
    from steelyard.training.answers import repeat_test  # noqa: PLC0415  after the threads are set
    from steelyard.training.describe import digest  # noqa: PLC0415

    found = digest(source.splits)
    if found != record["data_digest"]:
        raise Refused(
            f"`data` must be those of the run, with digest {record['data_digest']}, got {found}."
        )
    trained = [head for head, weight in record["loss_weights"].items() if weight > 0]
    now = repeat_test(folder.path / NETWORK, source, trained)
    return _compare(record["test"], now, str(record["name"]))


def _compare(recorded: dict[str, float | None], now: dict[str, float], name: str) -> int:
    table = Table(box=None, header_style="bold")
    for column in ("measure", "recorded", "now"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    n_off = 0
    for measure, value in now.items():
        was = recorded.get(measure)
        is_same = value != value if was is None else was == value  # noqa: PLR0124  NaN is kept as null
        n_off += not is_same
        cells = ("-" if each is None else f"{each:.6g}" for each in (was, value))
        table.add_row(measure, *cells, style=None if is_same else "red")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{name}: {len(now)} numbers, {len(now) - n_off} exactly those of the record.")
    return 1 if n_off else 0
