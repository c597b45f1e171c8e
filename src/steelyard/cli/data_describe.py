"""`steelyard data describe`: says what a table seems to hold, and writes its configuration."""

import argparse
import csv
import re
import shlex
from functools import partial
from pathlib import Path

from omegaconf import OmegaConf

from steelyard.cli.compose import conf
from steelyard.cli.data_tables import tell_columns, tell_heads
from steelyard.construct import Refused, construct
from steelyard.data.draft import as_yaml, draft, separator_of
from steelyard.data.files import File
from steelyard.data.names import Names
from steelyard.data.reading import parse
from steelyard.data.table import Table
from steelyard.run import prepare

GROUP = "data"  # of choices, and the folder that holds them
CHOICE = re.compile(r"(?a:[A-Za-z]\w*)")


def describe(given: argparse.Namespace) -> int:
    """Prints what a table seems to hold, writes its configuration, and returns the exit code."""
    output = _output(given.output, given.file)
    if output.exists() and not given.force:
        raise Refused(f"`output` must be a new file, got {str(output)!r}; --force overwrites it.")
    content = File(path=given.file).read()
    guessed = "," if given.file.endswith(".parquet") else separator_of(content)
    separator = (given.separator or guessed).replace("\\t", "\t")
    heads = next(csv.reader([given.heads or ""], skipinitialspace=True), [])
    table = parse(content, given.file, separator)
    found = draft(table, given.file, separator, heads, partial(_folder_of, given.file))
    words = ["steelyard", "data", "describe", given.file]
    text = as_yaml(found, shlex.join([*words, *(["--heads", given.heads] if heads else [])]))
    source: Table = construct(OmegaConf.create(text))
    if all(column.kind != "image" for column in source.inputs_from.values()):
        prepare(source)  # images take long to decode, and are left to the check
    tell_columns(found, len(table))
    tell_heads(found, source)
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f"{output.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(output)
    folder = shlex.quote(str(output.parent.parent))
    run = f"--config-dir {folder} data={output.stem} model=auto"
    print(f"\nWritten: {output}. Read it, put it right, and then:")
    print(f"  steelyard data check {shlex.quote(str(output))}")
    print(f"  steelyard train {run}")
    print(f"  steelyard train -m {run} 'loss_weights=glob(*)' seed=0,1,2")
    return 0


def _output(given: str | None, table: str) -> Path:
    """Returns where to write: a file of a folder `data`, where --config-dir can find it.

    Raises:
        Refused: It is none.
    """
    choices = {path.stem for path in (conf() / GROUP).glob("*.yaml")}
    name = Names().of(Path(table).name.partition(".")[0], "table")
    name = name if CHOICE.fullmatch(name) and name not in choices else f"my_{name}"
    path = Path(given or f"{name}.yaml")
    if path.parent == Path():
        path = GROUP / path
    is_choice = path.suffix == ".yaml" and path.parent.name == GROUP
    if not (is_choice and CHOICE.fullmatch(path.stem)):
        raise Refused(
            f"`output` must be a file such as {GROUP}/{name}.yaml, of letters from a to z, digits "
            f"and _, in a folder {GROUP!r}, got {given!r}."
        )
    if path.stem in choices:
        raise Refused(
            f"`output` must have another name than the choices {', '.join(sorted(choices))}, "
            f"got {path.stem!r}."
        )
    return path


def _folder_of(table: str, image: str) -> str:
    """Returns the folder, beside a table or one below, in which a path leads to an image."""
    for place in File(path=table).places:
        if place.is_file():
            below = sorted(each.name for each in place.parent.iterdir() if each.is_dir())
            for name in ("", *below):
                if (place.parent / name / image).is_file():
                    return str(Path(table).parent / name)
    return ""
