"""`steelyard data`: describes a table, or says what is wrong with it before it is trained on."""

import argparse
import csv
import json
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # it comes without types
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from steelyard.cli.compose import composed, composing, conf
from steelyard.cli.validate import validate, without_hydra
from steelyard.construct import Refused, check_targets, construct
from steelyard.data.faults import (
    About,
    Effort,
    Splits,
    abouts,
    doubts,
    effort,
    errors,
    labels,
    scale,
    shares,
)
from steelyard.data.files import File
from steelyard.data.guess import Draft, Names, as_yaml, draft, separator_of
from steelyard.data.reading import parse
from steelyard.data.source import SPLITS, Source
from steelyard.data.table import Table as TableSource
from steelyard.run import prepare

DESCRIBE = """Says what the columns of a table seem to be, and writes a configuration that can be
trained on as it is. Everything in it is a guess, to be read and put right."""
CHECK = "Reads data as training would, and says what is wrong or doubtful about them."
GROUP = "data"
CHECKED = "checked_file"  # the choice that a file is, while it is checked
CHOICE = re.compile(r"(?a:[A-Za-z]\w*)")
WRONG = 2  # exit code


def main(arguments: Sequence[str]) -> int:
    """Describes or checks, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="steelyard data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="describe|check")
    one = commands.add_parser("describe", description=DESCRIBE, help="what a table seems to hold")
    one.add_argument("file", help="a .csv, .tsv or .parquet file")
    one.add_argument("--separator", help="what stands between two columns; else guessed")
    one.add_argument("--heads", help="columns to predict: a,b,c; else guessed")
    one.add_argument("--output", help="what to write (data/<name of the table>.yaml)")
    one.add_argument("--force", action="store_true", help="overwrite it")
    other = commands.add_parser("check", description=CHECK, help="what is wrong with data")
    other.add_argument("choice", help="a choice of data=, or a .yaml file made by describe")
    other.add_argument("--config-dir", help="a folder of your own with data/<choice>.yaml")
    other.usage = "steelyard data check [--config-dir DIR] choice [data.split.seed=1 ...]"
    given, more = parser.parse_known_args(list(arguments))
    if given.command == "check" and not any(word.startswith("-") for word in more):
        return check(given.choice, given.config_dir, more)
    if more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    try:
        return describe(given)
    except Refused:
        raise
    except ValueError as error:
        raise Refused(str(error)) from error


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
    source: TableSource = construct(OmegaConf.create(text))
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


def tell_columns(found: Draft, n_rows: int) -> None:
    """Prints what each column seems to be."""
    heads = {column: head for head in found.heads for column in head.columns}
    table = _table("column", "seems to be", "because", "missing")
    for each in found.guesses:
        head = heads.get(each.column)
        kind = f"head: {head.kind}" if head else each.kind
        why = head.why if head else each.why
        missing = f"{each.missing:.1%}" if each.missing else ""
        table.add_row(*map(escape, (each.column, kind, why, missing)))
    out = _console()
    out.print(f"{n_rows:,} rows, {len(found.guesses)} columns.")
    out.print(table)
    out.print(f"Split: {found.split}.", markup=False)


def tell_heads(found: Draft, source: TableSource) -> None:
    """Prints how large the loss of each head is on its own scale, and what that does to a sum."""
    read = labels(source)
    scales = [scale(task, targets, is_raw=True) for task, targets in read.values()]
    table = _table("head", "kind", "loss of zeros", "best constant", "share", "standardized")
    for head, each, share in zip(found.heads, scales, shares(scales), strict=True):
        trained = scale(*read[head.name])
        again = f"{trained.zero:.3g}" if head.kind == "regression" else ""
        cells = f"{each.zero:.4g}", f"{each.constant:.4g}", f"{share:.1%}", again
        table.add_row(escape(head.name), head.kind, *cells)
    out = _console()
    how = "These heads are a guess" if found.is_guess else "These are the heads"
    out.print(f"\n{how}; --heads a,b,c takes others. On their own scale, in train:")
    out.print(table)
    if len(scales) > 1:
        out.print("Share: of a sum at equal weights, before the first step, if not standardized.")


def check(choice: str, folder: str | None, overrides: Sequence[str]) -> int:
    """Prints what is wrong with data and what is doubtful, and returns the exit code."""
    wrong: list[str] = []
    doubtful: list[str] = []
    try:
        source = _source(choice, folder, overrides)
        wrong = errors(source)
    except Refused as error:
        wrong = [str(error)]
    if not wrong:
        splits: Splits = {split: source.load(split) for split in SPLITS}
        tell_labels(abouts(source.tasks, splits))
        tell_effort(effort(source.inputs, splits))
        doubtful = doubts(source, splits)
    for line in wrong:
        print(line, file=sys.stderr)
    for line in doubtful:
        print(f"doubt: {line}.")
    n, m = len(wrong), len(doubtful)
    print(f"{n} error{'s' * (n != 1)}, {m} doubt{'s' * (m != 1)}")
    return WRONG if wrong else 0


def _source(choice: str, folder: str | None, overrides: Sequence[str]) -> Source:
    """Returns the source of a choice or a file, checked as training checks it.

    Raises:
        Refused: Training would not begin.
    """
    is_file = choice.endswith((".yaml", ".yml"))
    if Path(choice).suffix in {".csv", ".tsv", ".parquet"}:
        raise Refused(
            f"`choice` must be a choice of data or a .yaml file, got {choice!r}; "
            f"make one: steelyard data describe {shlex.quote(choice)}."
        )
    with ExitStack() as stack:
        folders = [folder] if folder else []
        try:
            if is_file:
                folders += [str(Path(choice).parent.parent)]
                folders += [stack.enter_context(_as_choice(choice))]
            paths = ",".join(json.dumps(f"file://{Path(each).absolute()}") for each in folders)
            first = [f"hydra.searchpath=[{paths}]", f"data={CHECKED if is_file else choice}"]
            stack.enter_context(composing())
            whole = composed([*first, "model=auto", *overrides])
        except yaml.YAMLError as error:
            told = " ".join(str(error).split())
            raise Refused(f"`{choice}` must be YAML, got an error: {told}.") from error
        config = without_hydra(whole)
        _check_source(choice, config.data)
        validate(config, whole.hydra)
        source: Source = construct(config.data)
        return source


@contextmanager
def _as_choice(path: str) -> Iterator[str]:
    """Yields a folder of configuration in which a file is a choice, whatever its name and place."""
    try:
        content = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"`choice` must be a text file that can be read, got {path!r}.") from error
    yaml.safe_load(content)  # tells its errors without the folder's name
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / GROUP / f"{CHECKED}.yaml"
        place.parent.mkdir()
        place.write_text(content, encoding="utf-8")
        yield folder


def _check_source(choice: str, settings: Any) -> None:
    """Refuses a configuration of what is no source of data.

    Raises:
        Refused: It is one.
    """
    target = str(settings.get("_target_", "")) if isinstance(settings, DictConfig) else ""
    if target:
        check_targets({"_target_": target})
    if not (target.startswith("steelyard.data.") and issubclass(get_class(target), Source)):
        raise Refused(
            f"`{choice}` must have a source of data as its `_target_`, such as "
            f"steelyard.data.table.Table, got {target!r}."
        )


def tell_labels(found: Sequence[About]) -> None:
    """Prints what the labels of each head are like."""
    names = ("head", "kind", "labelled", "majority", "loss of zeros", "best constant", "share")
    table = _table(*names)
    for each in found:
        majority = " / ".join(f"{share:.0%}" for share in each.majority.values())
        losses = f"{each.scale.zero:.4g}", f"{each.scale.constant:.4g}"
        cells = f"{each.labelled:.1%}", majority, *losses, f"{each.share:.1%}"
        table.add_row(escape(each.task.name), each.task.kind, *cells)
    out = _console()
    out.print(table)
    out.print("Majority: the share of train's most frequent class in train, valid and test.")
    out.print("Share: of a sum at equal weights, before the first step.")


def tell_effort(cost: Effort) -> None:
    """Prints what it takes to train."""
    rows = ", ".join(f"{split} {n:,}" for split, n in cost.n_rows.items())
    seconds = max(1, round(cost.seconds))
    print(f"\nRows: {rows}. In memory: {cost.n_bytes / 1e6:,.0f} MB.")
    print(f"An epoch of model=auto takes very roughly {seconds:,} s on two cores.\n")


def _table(*names: str) -> Table:
    table = Table(box=None, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)
