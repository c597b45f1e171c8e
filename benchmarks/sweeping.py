"""A command of Steelyard in a process of its own, timed from outside and from within.

The benchmarks of populations share it. A sweep is the very command that a user types, tables,
checks and MLflow included; only that the imports come first, so that they can be told apart.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import psutil

STEELYARD = str(Path(sys.executable).with_name("steelyard"))
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "MLFLOW_DISABLE_TELEMETRY": "true"}


class Timed(NamedTuple):
    """Seconds of a sweep."""

    whole: float  # of the process, imports included
    sweep: float  # from the command to its end, when everything is imported
    first_epoch: float  # from the command to the end of the first epoch of any run
    n_runs: int


def sweep(words: Sequence[str]) -> Timed:
    """Carries out a sweep in a fresh process and an empty folder, and returns its seconds."""
    with tempfile.TemporaryDirectory() as output:
        seconds, told = asked([sys.executable, __file__, "-m", *words, f"output={output}"])
        n_runs = len(list(Path(output).glob("runs/*/record.json")))
    return Timed(seconds, told["sweep"], told["first_epoch"], n_runs)


def run(words: Sequence[str]) -> float:
    """Returns the seconds of one run in a fresh process, imports included."""
    with tempfile.TemporaryDirectory() as output:
        began = time.perf_counter()
        checked([STEELYARD, "train", *words, f"output={output}"])
        return time.perf_counter() - began


def asked(command: Sequence[str]) -> tuple[float, Any]:
    """Returns the seconds of a process, and the JSON that it prints last."""
    began = time.perf_counter()
    told = checked(command)
    return time.perf_counter() - began, json.loads(told.splitlines()[-1])


def checked(command: Sequence[str]) -> str:
    """Returns what a process prints.

    Raises:
        RuntimeError: It failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def environment() -> dict[str, str]:
    """Returns the variables of a process that is timed."""
    return {**os.environ, **QUIET}


def heavy() -> None:
    """Imports all that a run imports."""
    import keras  # noqa: F401, PLC0415  timed, or left out of what is timed
    import mlflow  # noqa: F401, PLC0415
    import tensorflow as tf  # noqa: F401, PLC0415

    from steelyard.training import memory, pipeline  # noqa: F401, PLC0415


def watched(words: Sequence[str]) -> dict[str, float]:
    """Carries out a sweep in this process, and returns the seconds of `sweep` and `first_epoch`."""
    from steelyard.cli import train  # noqa: PLC0415

    seen: list[float] = []
    epoch = train.Runs.epoch

    def seeing(runs: train.Runs, *told: Any, **more: Any) -> None:
        seen.append(time.perf_counter())
        epoch(runs, *told, **more)

    train.Runs.epoch = seeing
    began = time.perf_counter()
    code = train.main(words)
    ended = time.perf_counter()
    if code:
        raise SystemExit(code)
    return {"sweep": ended - began, "first_epoch": min(seen) - began}


def machine() -> str:
    """Returns what it is that measures, and how busy others keep it, in words."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next(line.partition(":")[2].strip() for line in facts if line.startswith("model name"))
    cores = len(os.sched_getaffinity(0))
    busy = psutil.cpu_percent(interval=2)
    return (
        f"{name}, {cores} cores; TensorFlow {version('tensorflow')}, Keras {version('keras')}; "
        f"processors {busy:.0f}% busy before the script began."
    )


def write(result: Path, head: str, title: str, lines: Sequence[str]) -> None:
    """Writes one section of a result; the others stay."""
    parts = result.read_text(encoding="utf-8").split("\n## ") if result.is_file() else [head]
    kept = [part.rstrip() + "\n" for part in parts[1:] if not part.startswith(f"{title}\n")]
    section = "\n".join([title, "", *lines])
    text = "\n## ".join([head.rstrip() + "\n", *kept, section])
    result.write_text(text.rstrip() + "\n", encoding="utf-8")


def smoke(knobs: Mapping[str, tuple[int, int]]) -> list[str]:
    """Returns the lines that mark numbers which were not taken at full size.

    Args:
        knobs: Of each knob, what was taken and what is full size.
    """
    less = [
        f"{taken:,} of {full:,} {name}" for name, (taken, full) in knobs.items() if taken != full
    ]
    told = f"**Smoke run: {', '.join(less)}. It shows that the script works; its ratios are not "
    return [told + "results.**", ""] if less else []


if __name__ == "__main__":
    os.environ.update(QUIET)
    heavy()
    print(json.dumps(watched(sys.argv[1:])))
