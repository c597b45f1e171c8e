"""How long a newcomer waits: for the help, for a configuration error, and for the first epoch."""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import sweeping

RESULT = Path(__file__).with_suffix(".md")
REPEATS = 3
TINY = (
    *("data=dials", "data.n_train=256", "model=shared_trunk"),
    *("training.epochs=1", "training.batch_size=64"),
)


class Wait(NamedTuple):
    """A command, and when its wait is over."""

    name: str
    words: tuple[str, ...]
    until: str  # what the line begins with that ends the wait; empty for the command's end
    code: int
    allowed: float  # seconds


WAITS = (
    Wait("`steelyard --help`", ("--help",), "", 0, 2),
    Wait("a configuration error", ("train", *TINY, "training.batch_size=0"), "", 2, 2),
    Wait("the first epoch of a tiny run", ("train", *TINY), "epoch 1/", 0, 20),
    Wait("the whole of it", ("train", *TINY), "", 0, 20),
)


def main() -> None:
    """Measures, and writes a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    machine = sweeping.machine()
    rows = []
    for wait in WAITS:
        seconds_of(wait)  # writes bytecode, and brings the files into memory
        rows.append(told(wait, [seconds_of(wait) for _ in range(options.repeats)]))
        print(rows[-1], flush=True)
    lines = [
        "# How long a newcomer waits",
        "",
        "Written by `python benchmarks/start_up.py`: seconds on the wall from the command, in a",
        "fresh process each time; once before, uncounted, for bytecode and the files in memory.",
        "The tiny run has 256 made-up examples; its first epoch is over when it is told.",
        "",
        *sweeping.smoke({"repeats": (options.repeats, REPEATS)}),
        f"{machine} Medians of {options.repeats}.",
        "",
        "| wait for | seconds | least | most | allowed |",
        "|---|---:|---:|---:|---:|",
        *rows,
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def seconds_of(wait: Wait) -> float:
    """Returns the seconds of a wait.

    Raises:
        RuntimeError: The command ended otherwise than it should, or never came so far.
    """
    with tempfile.TemporaryDirectory() as output:
        words = [*wait.words, *([f"output={output}"] if wait.words[0] == "train" else [])]
        began = time.perf_counter()
        process = subprocess.Popen(
            [sweeping.STEELYARD, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=sweeping.environment(),
        )
        seen, lines = None, []
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if wait.until and line.startswith(wait.until) and seen is None:
                seen = time.perf_counter() - began
        code = process.wait()
        ended = time.perf_counter() - began
    if code != wait.code or (wait.until and seen is None):
        raise RuntimeError(f"{' '.join(words)} ended with {code}:\n{''.join(lines)}")
    return ended if seen is None else seen


def told(wait: Wait, seconds: list[float]) -> str:
    """Returns the row of a wait."""
    middle = statistics.median(seconds)
    return (
        f"| {wait.name} | **{middle:.1f}** | {min(seconds):.1f} | {max(seconds):.1f} | "
        f"{wait.allowed:.0f} |"
    )


if __name__ == "__main__":
    main()
