"""How the tests give commands: in this process, or as a user would."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from steelyard.cli import main

TINY = (  # the smallest run that trains all three heads
    "data.n_train=64",
    "data.length=60",
    "data.shortest=20",
    "data.longest=50",
    "data.vocabulary=600",
    "data.synonyms=2",
    "model.encoders.text.embedding=4",
    "model.encoders.text.stages=[[4],[4]]",
    "model.trunk=[4]",
    "training.epochs=2",
    "training.diagnose_every=0",  # a graph without it is traced in half the time
)


COMMAND = """
import signal
from steelyard.cli import main

# A shell has commands in its background ignore Ctrl-C, and this one would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def called(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """Returns the exit code of a command given in this process, and what it printed."""
    monkeypatch.setattr(sys, "argv", ["steelyard", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    printed = capsys.readouterr()
    return int(stop.value.code or 0), printed.out, printed.err


def started(folder: Path, words: Sequence[str]) -> "subprocess.Popen[str]":
    """Returns a command that runs in a process of its own, in a folder."""
    command = [sys.executable, "-c", COMMAND, *words]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(folder: Path, *words: str) -> tuple[int, str, str]:
    """Returns the exit code of a command that ran in a process of its own, and what it printed."""
    process = started(folder, words)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err
