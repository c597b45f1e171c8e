"""What a step of each method costs, against a step with fixed weights, and against plain Keras.

Two models at a time take turns on the same batches, so that whatever else the machine does falls
on both; the ratio is the median over the turns.
"""

import argparse
import gc
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

import steelyard
from steelyard import Balance, Task, WeighedModel
from steelyard.cli.methods import holds, methods
from steelyard.data.source import Input
from steelyard.models.convolutions import Convolutions
from steelyard.models.network import Network
from steelyard.weighting.base import Weighting

RESULT = Path(__file__).with_suffix(".md")
BATCH = 64
LOSSES = {
    "age": "mse",
    "income": "sparse_categorical_crossentropy",
    "gender": "binary_crossentropy",
}
WEIGHTS = {"age": 0.25, "income": 1.0, "gender": 10.0}
TASKS = (
    Task(name="age", kind="regression"),
    Task(name="income", kind="multiclass", classes=tuple(map(str, range(10)))),
    Task(name="gender", kind="binary"),
)


class Size(NamedTuple):
    """A posts network, and how long to time it."""

    vocabulary: int
    embedding: int
    stages: tuple[tuple[int, ...], ...]
    length: int
    n_steps: int  # a turn
    n_turns: int


SIZES = {
    "reduced": Size(5_000, 64, ((64,), (64, 64), (64, 64)), 300, 20, 5),
    "full": Size(50_000, 256, ((128,), (256, 256), (256, 256)), 500, 4, 5),
}


Row = tuple[str, float, float, float, float]  # name, milliseconds, ratio: median, least, most


class Contender(NamedTuple):
    """A way to train the network."""

    name: str
    make: Callable[[keras.Model], keras.Model]


def main() -> None:
    """Times the contenders of one size, and writes a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="reduced")
    parser.add_argument("--only", nargs="*", default=[], help="contenders, by the start of a name")
    parser.add_argument("--peer", help="an interpreter with torch and torchjd, to be timed too")
    options = parser.parse_args()
    size = SIZES[options.size]
    rows = []
    for contender in contenders():
        if options.only and not contender.name.startswith(tuple(options.only)):
            continue
        base, other = turns(size, contender)
        ratios = [theirs / ours for ours, theirs in zip(base, other, strict=True)]
        middle = statistics.median(ratios)
        rows.append((contender.name, statistics.median(other), middle, min(ratios), max(ratios)))
        print(
            f"{contender.name:40} {rows[-1][1]:8.1f} CPU ms a step, {middle:5.2f} of fixed",
            flush=True,
        )
        told = table("times `fixed`", rows)
        write(f"`posts`, {options.size}", size, told)  # what is measured is not lost
    if options.peer:
        told = table("times plain PyTorch", of_peer(options.peer, size))
        write(f"TorchJD on `posts`, {options.size}", size, told)


def of_peer(interpreter: str, size: Size) -> list[Row]:
    """Returns what a step costs in PyTorch and TorchJD, and against plain PyTorch."""
    asked = json.dumps({**size._asdict(), "batch": BATCH})
    script = Path(__file__).with_name("peer_steps.py")
    told = subprocess.run(
        [interpreter, script], input=asked, capture_output=True, text=True, check=True
    )
    print(told.stderr, end="", file=sys.stderr)
    times = json.loads(told.stdout)
    base = statistics.median(times["plain PyTorch"])
    return [
        (name, statistics.median(each), *(f(each) / base for f in (statistics.median, min, max)))
        for name, each in times.items()
    ]


def contenders() -> list[Contender]:
    """Returns all ways to train, plain Keras first."""
    found = [
        Contender("plain Keras", plain),
        Contender("fixed, diagnosed every 20 steps", weighed(steelyard.Fixed(), every=20)),
    ]
    for kind in methods():
        if kind is not steelyard.Fixed and not holds(kind):
            found.append(Contender(kind.__module__.rpartition(".")[2], weighed(kind())))
    nash = steelyard.NashMTL
    for knobs in ({"update_every": 2}, {"update_every": 4}, {"on": "representation"}):
        name = ", ".join(f"{knob}={value}" for knob, value in knobs.items())
        found.append(Contender(f"nash_mtl, {name}", weighed(nash(), Balance(**knobs))))
    return found


def plain(network: keras.Model) -> keras.Model:
    """Returns the network compiled as a Keras user would."""
    network.compile("rmsprop", loss=LOSSES, loss_weights=WEIGHTS)
    return network


def weighed(
    method: Weighting, balance: Balance | None = None, every: int = 0
) -> Callable[[keras.Model], keras.Model]:
    """Returns what compiles a network under a method; undiagnosed but where it is said."""

    def make(network: keras.Model) -> keras.Model:
        model = WeighedModel(network, method, balance, diagnose_every=every)
        model.compile("rmsprop", loss=LOSSES, loss_weights=WEIGHTS)
        return model

    return make


def network_of(size: Size) -> keras.Model:
    """Returns the posts network of a size, with the same weights every time."""
    keras.utils.set_random_seed(0)
    text = Convolutions(embedding=size.embedding, stages=size.stages)
    plan = Network(encoders={"text": text}, trunk=(128,))
    words = Input(
        name="text", kind="text", shape=(size.length,), dtype="int32", vocabulary=size.vocabulary
    )
    return plan.build([words], TASKS)


def batches(size: Size) -> tf.data.Dataset:
    """Returns a turn's batches: random words, random targets."""
    rng = np.random.default_rng(0)
    n = BATCH * size.n_steps
    words = rng.integers(1, size.vocabulary, (n, size.length)).astype("int32")
    targets = {
        "age": rng.normal(40, 12, n).astype("float32"),
        "income": rng.integers(0, 10, n).astype("int32"),
        "gender": rng.integers(0, 2, n).astype("float32"),
    }
    return tf.data.Dataset.from_tensor_slices(({"text": words}, targets)).batch(BATCH).cache()


def turns(size: Size, contender: Contender) -> tuple[list[float], list[float]]:
    """Returns the CPU milliseconds a step of fixed weights, and of the contender, turn by turn."""
    keras.backend.clear_session()
    gc.collect()
    data = batches(size)
    pair = [weighed(steelyard.Fixed())(network_of(size)), contender.make(network_of(size))]
    for model in pair:
        model.steps_per_execution = size.n_steps
        model.fit(data, verbose=0)  # traces
    timed: tuple[list[float], list[float]] = ([], [])
    for turn in range(size.n_turns):
        for k in (0, 1) if turn % 2 else (1, 0):
            began = time.process_time()  # of all threads: a wall clock sees the neighbours too
            pair[k].fit(data, verbose=0)
            timed[k].append(1000 * (time.process_time() - began) / size.n_steps)
    return timed


def write(name: str, size: Size, told: Sequence[str]) -> None:
    """Writes the table of a size into the result; those of other names stay."""
    parts = RESULT.read_text(encoding="utf-8").split("\n## ") if RESULT.is_file() else [HEAD]
    kept = [part for part in parts[1:] if not part.startswith(f"{name}:")]
    machine = f"{platform.machine()}, TensorFlow {tf.__version__}, Keras {keras.__version__}"
    lines = [
        f"{name}: embedding {size.vocabulary:,} x {size.embedding}, {size.length} words, "
        f"batch {BATCH}, RMSprop, K = 3",
        "",
        f"{size.n_turns} turns of {size.n_steps} steps each; {machine}.",
        *told,
    ]
    text = "\n## ".join([HEAD.rstrip() + "\n", *[part.rstrip() + "\n" for part in kept]])
    RESULT.write_text(f"{text}\n## " + "\n".join(lines) + "\n", encoding="utf-8")


def table(against: str, rows: Sequence[Row]) -> list[str]:
    """Returns the lines of a table."""
    return [
        "",
        f"| trained with | CPU ms a step | {against} (median) | least | most |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {ms:.1f} | **{middle:.2f}** | {low:.2f} | {high:.2f} |"
            for name, ms, middle, low, high in rows
        ),
    ]


HEAD = """# What a step costs

Written by `python benchmarks/steps.py --size reduced` and `--size full`. `fixed` is `WeighedModel`
with fixed weights and no diagnosis; each row took turns with it in one process. Time is that of the
processor, in all threads together; it depends on the machine, and the ratios are what counts.
TorchJD's (`--peer PYTHON`; alone with `--only none`) are of the same network in PyTorch, in a
process of their own: their ratios are to plain PyTorch, and only their milliseconds compare.
"""

if __name__ == "__main__":
    main()
