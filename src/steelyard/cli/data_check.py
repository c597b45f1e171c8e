"""`steelyard data check`: reads data as training would, and tells their errors and doubts."""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from hydra.utils import get_class
from omegaconf import DictConfig

from steelyard.cli.compose import composed, composing
from steelyard.cli.data_tables import tell_effort, tell_labels
from steelyard.cli.validate import validate, without_hydra
from steelyard.construct import Refused, check_targets, construct
from steelyard.data.effort import effort
from steelyard.data.faults import doubts, errors
from steelyard.data.labels import Splits, abouts
from steelyard.data.source import SPLITS, Source

CHECKED = "checked_file"  # the choice that a file is, while it is checked
WRONG = 2  # exit code


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
        place = Path(folder) / "data" / f"{CHECKED}.yaml"
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
