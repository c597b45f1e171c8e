"""`steelyard predict`: a finished run's network answers for the rows of a new file."""

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from steelyard.arrays import Named
from steelyard.cli.parser import Parser
from steelyard.construct import Refused, construct
from steelyard.identity import source_of
from steelyard.tracking.record import CONFIG, NETWORK, RunFolder, find

WHAT = "Predicts the heads of a finished run for the rows of a new file, read as its own data were."
N_SHOWN = 5


def main(arguments: Sequence[str]) -> int:
    """Writes a table of predictions, and returns the exit code."""
    parser = Parser(prog="steelyard predict", description=WHAT)
    parser.add_argument("run", help="its key (or the key's beginning), its name, or its folder")
    parser.add_argument("file", help="a table with the run's input columns, or inputs as .npz")
    parser.add_argument("--to", default="predictions.csv", help="where they go (predictions.csv)")
    parser.add_argument("--output", default="outputs", help="where the runs are (outputs)")
    given = parser.parse_args(list(arguments))
    folder = ended(given.output, given.run)
    try:
        table = _predicted(folder, given.file)
    except ValueError as error:
        raise Refused(str(error)) from error
    path = Path(given.to)
    if path.is_dir():
        raise Refused(f"`--to` must be a file, got the folder {given.to!r}.")
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(part, index=False, float_format="%.8g", lineterminator="\n")
    part.replace(path)
    _show(table)
    print(f"{len(table)} predictions of {folder.path.name}: {path}")
    return 0


def ended(output: str, text: str) -> RunFolder:
    """Returns the folder of a run that finished.

    Raises:
        Refused: There is no such run, or it has no network to ask.
    """
    try:
        folder = find(Path(output), text)
    except ValueError as error:
        raise Refused(str(error)) from error
    record = folder.record()
    if record is None or record["status"] != "finished":
        status = "not ended" if record is None else record["status"]
        raise Refused(f"`run` must be one that finished, got {folder.path.name}, {status}.")
    return folder


def settings_of(folder: RunFolder) -> dict[str, Any]:
    """Returns the configuration of a run."""
    found: Any = OmegaConf.to_container(OmegaConf.load(folder.path / CONFIG), resolve=True)
    return dict(found)


def _predicted(folder: RunFolder, file: str) -> pd.DataFrame:
    settings, fitted = settings_of(folder), folder.fitted()
    if Path(file).is_file():
        file = str(Path(file).absolute())  # not one of this name among the data sets
    if file.endswith(".npz"):
        inputs = _arrays(file)
    else:
        inputs = source_of(json.dumps(settings["data"])).read_inputs(file, fitted["inputs"])
    construct(settings["runtime"]).prepare()
    from steelyard.training.answers import as_task, predict  # noqa: PLC0415  after the threads are set

    tasks = [as_task(told) for told in fitted["tasks"]]
    return pd.DataFrame(predict(folder.path / NETWORK, inputs, tasks))


def _arrays(file: str) -> Named:
    try:
        with np.load(file) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (
        OSError,
        ValueError,
        EOFError,
        AttributeError,
        TypeError,
        BadZipFile,
        zlib.error,
    ) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"`{file}` must be a .npz file of arrays, got an error: {reason}."
        ) from error


def _show(table: pd.DataFrame) -> None:
    shown = Table(box=None, header_style="bold")
    for name in table.columns:
        is_number = pd.api.types.is_numeric_dtype(table[name])
        shown.add_column(str(name), justify="right" if is_number else "left")
    for row in table.head(N_SHOWN).itertuples(index=False):
        shown.add_row(*(f"{each:.4g}" if isinstance(each, float) else str(each) for each in row))
    console = Console(highlight=False)
    console.print(shown)
    if len(table) > N_SHOWN:
        console.print(f" ... and {len(table) - N_SHOWN} more")
