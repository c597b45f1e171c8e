"""What a step costs when RMSprop touches only a batch's rows, and how far its weights are off.

The contenders take turns on the same batches, so that whatever else the machine does falls on all
of them; a ratio is the median over the turns. Weights are compared under one sequence of gradients:
two networks that each follow their own drift apart by rounding alone.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from steelyard import WeighedModel
from steelyard.training.row_optimizers import RowRMSprop
from steps import BATCH, LOSSES, SIZES, WEIGHTS, Size, network_of

RESULT = Path(__file__).with_suffix(".md")
CHOICES = {
    "small": Size(2_000, 16, ((8,), (8, 8)), 100, 4, 3),
    "full": SIZES["full"]._replace(n_turns=8),
}
WORDS: dict[str, Callable[[np.random.Generator, int, tuple[int, int]], np.ndarray]] = {
    "zipf": lambda rng, n, shape: n ** rng.random(shape),  # the r-th word as often as 1 / r
    "uniform": lambda rng, n, shape: rng.uniform(1, n, shape),
}


class Contender(NamedTuple):
    """A way to train the network."""

    name: str
    is_ours: bool
    optimizer: type[keras.optimizers.Optimizer]
    policy: str = "float32"

    def make(self, size: Size) -> keras.Model:
        """Returns the network, ready to be trained."""
        keras.mixed_precision.set_dtype_policy(self.policy)
        network = network_of(size)
        model = WeighedModel(network, diagnose_every=0) if self.is_ours else network
        model.compile(self.optimizer(1e-3), loss=LOSSES, loss_weights=WEIGHTS)
        keras.mixed_precision.set_dtype_policy("float32")
        return model


CONTENDERS = (
    Contender("plain Keras, RMSprop, float32", False, keras.optimizers.RMSprop),
    Contender("ours, RMSprop, float32", True, keras.optimizers.RMSprop),
    Contender("ours, RowRMSprop, float32", True, RowRMSprop),
    Contender("ours, RowRMSprop, mixed_bfloat16", True, RowRMSprop, "mixed_bfloat16"),
)


class Timed(NamedTuple):
    """Milliseconds a step, turn by turn."""

    wall: list[float]
    processor: list[float]  # in all threads together


def main() -> None:
    """Times the contenders of one size, compares weights, and writes a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=CHOICES, default="small")
    parser.add_argument("--words", choices=WORDS, default="zipf", help="how words are drawn")
    parser.add_argument("--turns", type=int, help="in place of the size's")
    parser.add_argument("--compared", type=int, default=100, help="steps before weights are")
    options = parser.parse_args()
    size = CHOICES[options.size]
    size = size._replace(n_turns=options.turns or size.n_turns)
    batches = drawn(size, options.words)
    words = np.concatenate([inputs["text"] for inputs, _ in batches])
    touched = statistics.mean(len(np.unique(each["text"])) for each, _ in batches)
    rows = turns(size, batches)
    gap = gap_after(options.compared, size, batches)
    title = f"`posts`, {options.size}, {options.words} words"
    lines = [
        f"{title}: embedding {size.vocabulary:,} x {size.embedding}, {words.shape[1]} words, "
        f"batch {BATCH}, {network_of(size).count_params():,} parameters",
        "",
        f"{size.n_turns} turns of {size.n_steps} steps each; a batch touches {touched:,.0f} rows "
        f"of the table. {machine()}",
        "",
        "| trained with | ms a step | CPU ms a step | times plain Keras (median) | least | most |",
        "|---|---:|---:|---:|---:|---:|",
        *(told(name, timed, rows[CONTENDERS[0].name]) for name, timed in rows.items()),
        "",
        f"After {options.compared} steps, `RowRMSprop`'s weights are off those of Keras's RMSprop, "
        f"fed the dense gradient, by at most {gap:.1e} of how far the variable has moved.",
    ]
    write(title, lines)
    print("\n".join(lines))


def drawn(size: Size, kind: str) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Returns a turn's batches: words that are drawn one by one, random targets."""
    rng = np.random.default_rng(0)
    return [
        (
            {"text": WORDS[kind](rng, size.vocabulary, (BATCH, size.length)).astype("int32")},
            {
                "age": rng.normal(40, 12, BATCH).astype("float32"),
                "income": rng.integers(0, 10, BATCH).astype("int32"),
                "gender": rng.integers(0, 2, BATCH).astype("float32"),
            },
        )
        for _ in range(size.n_steps)
    ]


def turns(size: Size, batches: list) -> dict[str, Timed]:
    """Returns what a step of each contender takes; each begins a turn as often as the others."""
    whole = tf.nest.map_structure(lambda *each: np.concatenate(each), *batches)
    data = tf.data.Dataset.from_tensor_slices(whole).batch(BATCH).cache()
    models = [each.make(size) for each in CONTENDERS]
    for model in models:
        model.steps_per_execution = size.n_steps
        model.fit(data, shuffle=False, verbose=0)  # traces
    times = {each.name: Timed([], []) for each in CONTENDERS}
    for turn in range(size.n_turns):
        for place in range(len(models)):
            k = (turn + place) % len(models)
            began, began_processor = time.perf_counter(), time.process_time()
            models[k].fit(data, shuffle=False, verbose=0)
            timed = times[CONTENDERS[k].name]
            timed.wall.append(1000 * (time.perf_counter() - began) / size.n_steps)
            timed.processor.append(1000 * (time.process_time() - began_processor) / size.n_steps)
    return times


def gap_after(n_steps: int, size: Size, batches: list) -> float:
    """Returns the largest difference of two optimizers' weights, in parts of a variable's move."""
    network, other = network_of(size), network_of(size)
    pairs = [
        (network.trainable_variables, RowRMSprop(1e-3)),
        (other.trainable_variables, keras.optimizers.RMSprop(1e-3)),
    ]
    for variables, optimizer in pairs:
        optimizer.build(variables)
    start = network.get_weights()

    @tf.function
    def step(inputs: dict[str, tf.Tensor], targets: dict[str, tf.Tensor]) -> None:
        with tf.GradientTape() as tape:
            outputs = network(inputs, training=True)
            loss = sum(
                WEIGHTS[head] * keras.ops.mean(keras.losses.get(kind)(y, outputs[head]))
                for head, kind in LOSSES.items()
                for y in [tf.expand_dims(targets[head], -1)]
            )
        slices = tape.gradient(loss, network.trainable_variables)
        pairs[1][1].apply([tf.convert_to_tensor(each) for each in slices], pairs[1][0])
        pairs[0][1].apply(slices, pairs[0][0])

    for n in range(n_steps):
        step(*tf.nest.map_structure(tf.constant, batches[n % len(batches)]))
    return max(
        float(np.abs(ours - theirs).max() / np.abs(theirs - old).max())
        for ours, theirs, old in zip(network.get_weights(), other.get_weights(), start, strict=True)
    )


def told(name: str, timed: Timed, plain: Timed) -> str:
    """Returns a contender's line."""
    ratios = [ours / base for ours, base in zip(timed.wall, plain.wall, strict=True)]
    wall, processor = statistics.median(timed.wall), statistics.median(timed.processor)
    middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
    return f"| {name} | {wall:.1f} | {processor:.1f} | **{middle:.2f}** | {low:.2f} | {high:.2f} |"


def machine() -> str:
    """Returns what the numbers were measured on."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next(line.partition(":")[2].strip() for line in facts if line.startswith("model name"))
    cores = len(os.sched_getaffinity(0))
    return f"{name}, {cores} cores; TensorFlow {tf.__version__}, Keras {keras.__version__}."


def write(title: str, lines: list[str]) -> None:
    """Writes one section of the result; the others stay."""
    parts = RESULT.read_text(encoding="utf-8").split("\n## ") if RESULT.is_file() else [HEAD]
    kept = [part.rstrip() + "\n" for part in parts[1:] if not part.startswith(f"{title}:")]
    text = "\n## ".join([parts[0].rstrip() + "\n", *kept, "\n".join(lines)])
    RESULT.write_text(text + "\n", encoding="utf-8")


HEAD = """# What a step costs when RMSprop touches only a batch's rows

Written by `python benchmarks/row_optimizers.py --size full`. `ours` is `WeighedModel` with fixed
weights and no diagnosis. Time is that of the clock on the wall and of the processor, in all threads
together; both depend on the machine, and the ratios (of the wall's) are what counts.
"""

if __name__ == "__main__":
    main()
