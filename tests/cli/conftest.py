"""What the tests of `steelyard data` start from: a folder with a table, and the command."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import called
from tests.cli.reviews import reviews


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a command runs in, with a table in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEELYARD_DATA", raising=False)
    reviews().to_csv("mine.csv", index=False)
    return tmp_path


@pytest.fixture
def steelyard(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Gives a command of `steelyard data`; returns its exit code and what it printed."""
    return lambda *words: called(capsys, monkeypatch, "data", *words)
