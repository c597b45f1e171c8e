"""The record of a run: whole or absent, and what becomes of a failure."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.tracking.record import (
    CHECKPOINT,
    CONFIG,
    HISTORY,
    RECORD,
    TRACEBACK,
    RunFolder,
    find,
)
from steelyard.training import checkpoint

HISTORY_ROWS = [
    {"epoch": 0.0, "valid/score": 1 / 3, "train/age/loss": 1e-30},
    {"epoch": 1.0, "valid/score": float("inf"), "train/age/loss": -0.0},
]


def folder_in(output: Path, key: str = "0123456789abcdef") -> RunFolder:
    return RunFolder(output, key)


def ended(output: Path, status: str = "finished", **values: Any) -> RunFolder:
    folder = folder_in(output)
    folder.begin("seed: 0\n")
    folder.end({"status": status, **values}, HISTORY_ROWS)
    return folder


def names_in(folder: RunFolder) -> set[str]:
    return {path.name for path in folder.path.iterdir()}


def test_a_run_that_never_began_has_no_record(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    assert folder.record() is folder.last() is None
    assert folder.history() == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_began_has_its_configuration_and_no_record(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    folder.begin("seed: 0  # ä\n")
    assert folder.record() is folder.last() is None
    assert names_in(folder) == {CONFIG}
    assert (folder.path / CONFIG).read_bytes() == "seed: 0  # ä\n".encode()


def test_an_ended_run_leaves_configuration_history_and_record(tmp_path: Path) -> None:
    folder = ended(tmp_path, test={"age/r2": 0.5}, epochs=2)
    assert names_in(folder) == {CONFIG, HISTORY, RECORD}
    assert folder_in(tmp_path).record() == {
        "status": "finished",
        "test": {"age/r2": 0.5},
        "epochs": 2,
    }


def test_a_run_that_ended_needs_its_checkpoint_no_more_and_one_that_failed_does(
    tmp_path: Path,
) -> None:
    folder = folder_in(tmp_path)
    folder.begin("")
    (folder.path / CHECKPOINT).write_text("large")
    folder.fail({"status": "failed"}, "Traceback ...\n")
    folder.begin("")
    assert names_in(folder) == {CONFIG, CHECKPOINT}
    folder.end({"status": "diverged"}, [])
    assert names_in(folder) == {CONFIG, RECORD}


@pytest.mark.parametrize(
    ("status", "is_ended"), [("finished", True), ("diverged", True), ("failed", False)]
)
def test_finished_and_diverged_runs_are_ended_and_failed_ones_are_not(
    tmp_path: Path, status: str, is_ended: bool
) -> None:
    folder = ended(tmp_path, status)
    assert (folder.record() is not None) == is_ended
    last = folder.last()
    assert last is not None
    assert last["status"] == status


def test_a_failure_is_written_down_and_the_run_is_not_ended(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    folder.fail({"status": "failed", "error": "ValueError: no"}, "Traceback ...\n")
    assert folder.record() is None
    assert folder.last() == {"status": "failed", "error": "ValueError: no"}
    assert (folder.path / TRACEBACK).read_text() == "Traceback ...\n"


def test_to_begin_again_forgets_an_earlier_failure(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    folder.begin("seed: 0\n")
    folder.fail({"status": "failed"}, "Traceback ...\n")
    (folder.path / "checkpoint").write_text("kept")
    folder.begin("seed: 0\n")
    assert folder.last() is None
    assert names_in(folder) == {CONFIG, "checkpoint"}


@pytest.mark.parametrize("cut", [HISTORY, RECORD])
def test_a_record_is_whole_or_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """The process dies before a file has its name."""
    replace = os.replace

    def die(part: Path, path: Path) -> None:
        if path.name == cut:
            raise KeyboardInterrupt
        replace(part, path)

    folder = folder_in(tmp_path)
    folder.begin("seed: 0\n")
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            folder.end({"status": "finished"}, HISTORY_ROWS)
    assert folder.record() is folder.last() is None
    folder.end({"status": "finished"}, HISTORY_ROWS)
    assert folder.record() == {"status": "finished"}
    assert names_in(folder) == {CONFIG, HISTORY, RECORD}


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut would leave an empty file of that name."""
    told: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (told.append("synced"), sync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (told.append("named"), replace(*paths)))
    ended(tmp_path)
    assert told == ["synced", "named"] * 3


@pytest.mark.parametrize("content", [b"", b'{"status": "fin', b"\0" * 512, b"\xff\xfe", b"null"])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    folder = ended(tmp_path)
    (folder.path / RECORD).write_bytes(content)
    assert folder.record() is folder.last() is None
    assert find(tmp_path, folder.key).path == folder.path
    with pytest.raises(ValueError, match="got none"):
        find(tmp_path, "equal-0")
    ended(tmp_path)
    assert folder.record() == {"status": "finished"}


def test_a_checkpoint_that_was_cut_off_is_dropped_and_a_whole_one_kept(tmp_path: Path) -> None:
    assert checkpoint.NAME == CHECKPOINT
    folder = folder_in(tmp_path)
    folder.begin("")
    assert not folder.drop_broken_checkpoint()
    path = folder.path / CHECKPOINT
    with path.open("wb") as file:
        np.savez(file, now_0=np.arange(3))
    assert not folder.drop_broken_checkpoint()
    path.write_bytes(path.read_bytes()[:-20])
    assert folder.drop_broken_checkpoint()
    assert names_in(folder) == {CONFIG}


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    folder = ended(tmp_path, epochs=2)
    with pytest.raises(TypeError):
        folder.end({"status": "finished", "model": object()}, [])
    assert folder.record() == {"status": "finished", "epochs": 2}


def test_numbers_that_json_cannot_hold_become_null(tmp_path: Path) -> None:
    nan, inf = float("nan"), float("inf")
    folder = ended(tmp_path, loss=nan, deep={"a": [1.5, inf, (-inf, {"b": nan})], "n": 3})
    text = (folder.path / RECORD).read_text()

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert json.loads(text, parse_constant=refuse) == {
        "status": "finished",
        "loss": None,
        "deep": {"a": [1.5, None, [None, {"b": None}]], "n": 3},
    }


def test_equal_records_are_equal_bytes(tmp_path: Path) -> None:
    one = ended(tmp_path / "one", a=1, b=2).path / RECORD
    other = ended(tmp_path / "other", b=2, a=1).path / RECORD
    assert one.read_bytes() == other.read_bytes()


def test_a_history_comes_back_to_the_last_digit(tmp_path: Path) -> None:
    rows = ended(tmp_path).history()
    assert rows == HISTORY_ROWS
    assert str(rows[1]["train/age/loss"]) == "-0.0"


def test_a_history_keeps_what_is_no_number_and_leaves_out_what_is_missing(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    folder.begin("")
    folder.end({"status": "diverged"}, [{"epoch": 0, "a": float("nan")}, {"epoch": 1, "b": 2}])
    first, second = folder.history()
    assert math.isnan(first["a"])
    assert set(first) == {"epoch", "a"}
    assert second == {"epoch": 1.0, "b": 2.0}


def test_a_run_without_epochs_has_no_history(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    folder.begin("")
    folder.end({"status": "diverged"}, [])
    assert folder.history() == []
    assert names_in(folder) == {CONFIG, RECORD}


def test_one_process_at_a_time_has_the_run(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    with folder.lock():
        assert folder.last() is None
        assert not folder.path.exists()
        with pytest.raises(TimeoutError):
            folder_in(tmp_path).lock().acquire(timeout=0)
        with folder_in(tmp_path, "another").lock().acquire(timeout=0):
            pass
    with folder_in(tmp_path).lock().acquire(timeout=0):
        pass


def test_a_run_that_is_removed_is_gone_and_no_other(tmp_path: Path) -> None:
    folder, other = ended(tmp_path), folder_in(tmp_path, "another")
    other.begin("")
    folder.remove()
    folder.remove()
    assert folder.last() is None
    assert names_in(other) == {CONFIG}
