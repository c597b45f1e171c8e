"""The record of a run: a folder that says all, and is whole whenever it is there."""

import csv
import json
import os
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

ENDED = ("finished", "diverged")  # such a run is a result, and is not trained again
RECORD, HISTORY, CONFIG, FITTED, NETWORK, TRACEBACK, CHECKPOINT = (
    "record.json",
    "history.csv",
    "config.yaml",
    "fitted.json",
    "model.keras",
    "traceback.txt",
    "checkpoint.npz",
)


class RunFolder:
    """Where a run is written down: `<output>/runs/<run_key>/`."""

    def __init__(self, output: Path, key: str) -> None:
        self.key = key
        self.path = output / "runs" / key

    def lock(self) -> FileLock:
        """Returns the lock that lets one process at a time train this run."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path.with_name(f".{self.key}.lock"))

    def record(self) -> dict[str, Any] | None:
        """Returns the record of an ended run; None if it is not ended."""
        record = self.last()
        return record if record and record["status"] in ENDED else None

    def last(self) -> dict[str, Any] | None:
        """Returns what is written of the run, ended or failed; None if nothing can be read."""
        path = self.path / RECORD
        if not path.is_file():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # a power cut, or a disk that was full, left a part of it
            return None
        return found if isinstance(found, dict) else None

    def history(self) -> list[dict[str, float]]:
        """Returns the values of each epoch."""
        path = self.path / HISTORY
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return [{name: float(value) for name, value in row.items() if value} for row in rows]

    def begin(self, config: str) -> None:
        """Makes the folder, with the configuration, and forgets an earlier failure.

        Args:
            config: The resolved configuration, as YAML.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        for name in (RECORD, TRACEBACK):
            (self.path / name).unlink(missing_ok=True)
        self._write(CONFIG, config)

    def drop_broken_checkpoint(self) -> bool:
        """Removes a checkpoint that a power cut left in part; returns whether there was one."""
        path = self.path / CHECKPOINT
        is_broken = path.is_file() and not zipfile.is_zipfile(path)
        if is_broken:
            path.unlink()
        return is_broken

    def fitted(self) -> dict[str, Any]:
        """Returns what was learnt of the data to read inputs and outputs.

        Raises:
            ValueError: It was not kept.
        """
        path = self.path / FITTED
        if not path.is_file():
            raise ValueError(
                f"`run` must hold {FITTED}, which runs of an earlier version lack, got {self.key}; "
                "train it again."
            )
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def keep_fitted(self, fitted: Mapping[str, Any]) -> None:
        """Writes what was learnt of the data: vocabularies, scales, classes."""
        self._write(FITTED, json.dumps(fitted, ensure_ascii=False) + "\n")

    def end(self, record: Mapping[str, Any], history: Sequence[Mapping[str, float]]) -> None:
        """Writes the history and, last, the record; a checkpoint is of no more use then."""
        if history:
            columns = list(dict.fromkeys(name for row in history for name in row))
            lines = [columns, *([_cell(row.get(name)) for name in columns] for row in history)]
            self._write(HISTORY, "".join(",".join(line) + "\n" for line in lines))
        self._write(RECORD, json.dumps(_finite(record), indent=1, sort_keys=True) + "\n")
        (self.path / CHECKPOINT).unlink(missing_ok=True)

    def fail(self, record: Mapping[str, Any], traceback: str) -> None:
        """Writes that the run failed, and how."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._write(TRACEBACK, traceback)
        self._write(RECORD, json.dumps(_finite(record), indent=1, sort_keys=True) + "\n")

    def remove(self) -> None:
        """Removes the folder of a run that never began."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _write(self, name: str, text: str) -> None:
        part = self.path / f"{name}.part"
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # or a power cut might leave the name, and nothing in it
        os.replace(part, self.path / name)


def find(output: Path, text: str) -> RunFolder:
    """Returns the folder of the run that a text means: its key or a beginning of it, or its name.

    Args:
        output: Where the runs are.
        text: A key, a beginning of one, a run's name (`<study>/<name>` where several have it), or
            the path of its folder.

    Raises:
        ValueError: It means none, or several.
    """
    path = Path(text).absolute()
    if (path / CONFIG).is_file():
        folder = RunFolder(output, path.name)
        folder.path = path  # wherever it was copied to
        return folder
    keys = sorted(each.parent.name for each in (output / "runs").glob(f"*/{CONFIG}"))
    found = [key for key in keys if key.startswith(text)]
    if not found:
        found = [key for key in keys if text in _names(RunFolder(output, key))]
    if len(found) == 1:
        return RunFolder(output, found[0])
    names = [_names(RunFolder(output, key))[1] for key in found[:3]]
    which = f"{len(found)}: {', '.join(names)} ..." if found else f"none in {output / 'runs'}"
    raise ValueError(f"`run` must be the key, the name or the folder of one run, got {which}.")


def _names(folder: RunFolder) -> tuple[str, ...]:
    record = folder.last() or {}
    name = str(record.get("name", ""))
    return (name, f"{record.get('study', '')}/{name}")


def _cell(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _finite(node: Any) -> Any:
    """Returns a value with null for each number that JSON cannot hold."""
    if isinstance(node, Mapping):
        return {str(name): _finite(value) for name, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    if isinstance(node, float) and (node != node or node in (float("inf"), float("-inf"))):  # noqa: PLR0124
        return None
    return node
