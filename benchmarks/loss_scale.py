"""Which methods care about units: one head's loss times 2^k, and what comes of both heads.

Every method trains the same small network from the same start on the same batches, once for each
k. The other head's layers see their weight (`heads=weighted`), so that a method that is free of
units must train the very same network for every k.
"""

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from matplotlib import pyplot as plt

from steelyard import Balance, WeighedModel
from steelyard.cli.methods import holds, methods
from steelyard.data.dials import Dials
from steelyard.weighting.base import Claim, Weighting

HERE = Path(__file__).parent
POWERS = (-20, -15, -10, -6, -3, 0, 3, 6, 10, 15, 20)
EPOCHS, BATCH, RATE, N_TRAIN = 12, 64, 0.01, 2048
WIDTH = 3  # of the trunk: too narrow to hold what no loss asks for
HEADS = ("task_0", "task_1")


class Outcome(NamedTuple):
    """What a method made of the powers."""

    name: str
    claim: str
    worst: list[float]  # R2 of the head that is served worst, for each power
    moved: float  # how far the shared layers lie from those of k = 0, at most, in their own size


def main() -> None:
    """Trains, and writes a table and a picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="methods, by the start of a name")
    options = parser.parse_args()
    outcomes = []
    for name, method in chosen():
        if not options.only or name.startswith(tuple(options.only)):
            outcomes.append(carry_out(name, method))
            told = " ".join(f"{each:5.2f}" for each in outcomes[-1].worst)
            print(f"{name:16} {told}   {outcomes[-1].moved:.1e}", flush=True)
    outcomes.sort(key=lambda each: -np.mean(np.clip(each.worst, 0, 1)))
    write(outcomes)
    draw(outcomes)


def chosen() -> Iterator[tuple[str, Weighting]]:
    """Yields every method at its defaults; those that hold another one are left out."""
    for kind in methods():
        if not holds(kind):
            yield kind.__module__.rpartition(".")[2], kind()


class Scaled(keras.losses.Loss):
    """A squared error times a variable: other powers need no other graph."""

    def __init__(self, scale: tf.Variable) -> None:
        super().__init__()
        self.scale = scale

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return self.scale * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def carry_out(name: str, method: Weighting) -> Outcome:
    """Returns what a method makes of each power."""
    keras.utils.set_random_seed(0)
    source = Dials(n_train=N_TRAIN)
    train, test = source.load("train"), source.load("test")
    scale = tf.Variable(1.0)
    model = WeighedModel(network(source), method, Balance(heads="weighted"), diagnose_every=0)
    model.compile(
        keras.optimizers.Adam(RATE), loss=dict(zip(HEADS, (Scaled(scale), "mse"), strict=True))
    )
    model.steps_per_execution = N_TRAIN // BATCH
    model.optimizer.build(model.trainable_variables)
    everything = [*model.variables, *model.optimizer.variables]
    learner = getattr(model.weigher, "optimizer", None)
    everything += list(learner.variables) if learner else []
    start = [keras.ops.convert_to_numpy(each) for each in everything]
    data = tf.data.Dataset.from_tensor_slices((train.inputs, train.targets)).batch(BATCH).cache()
    worst, trunks = [], {}
    for power in POWERS:
        for variable, value in zip(everything, start, strict=True):
            variable.assign(value)
        scale.assign(2.0**power)
        model.fit(data, epochs=EPOCHS, verbose=0)
        outputs = model.predict(test.inputs, verbose=0)
        worst.append(min(r2(test.targets[head], outputs[head][:, 0]) for head in HEADS))
        shared = model.network.get_layer("trunk").get_weights()
        trunks[power] = np.concatenate([np.ravel(each) for each in shared])
    size = np.linalg.norm(trunks[0])
    moved = max(np.linalg.norm(each - trunks[0]) / size for each in trunks.values())
    return Outcome(name, claim_of(method), worst, float(np.nan_to_num(moved, nan=np.inf)))


def network(source: Dials) -> keras.Model:
    """Returns one trunk under two heads."""
    inputs = {
        each.name: keras.Input(each.shape, name=each.name, dtype=each.dtype)
        for each in source.inputs
    }
    merged = keras.layers.Concatenate()(list(inputs.values())) if len(inputs) > 1 else inputs
    hidden = keras.layers.Dense(WIDTH, activation="tanh", name="trunk")(merged)
    return keras.Model(inputs, {head: keras.layers.Dense(1, name=head)(hidden) for head in HEADS})


def r2(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Returns the part of the targets' variance that is explained; -1 and less is told as -1."""
    if not np.isfinite(outputs).all():
        return -1.0
    return float(max(1 - np.mean((outputs - targets) ** 2) / np.var(targets), -1.0))


def claim_of(method: Weighting) -> str:
    """Returns what a method says of units."""
    if Claim.SCALE_FREE in method.claims:
        return "scale-free"
    return "in direction" if Claim.SCALE_FREE_DIRECTION in method.claims else "-"


def write(outcomes: list[Outcome]) -> None:
    """Writes the table."""
    lines = [
        "# Which methods care about units",
        "",
        "Written by `python benchmarks/loss_scale.py`: two regressions of one hidden signal",
        f"(`dials`) on a trunk of {WIDTH} units, {EPOCHS} epochs of Adam at {RATE}, the first",
        "head's loss times 2^k. A number is the R2, on the test, of the head that is served worst",
        "(-1 is -1 or less, or not finite). The last column is how far the trained trunk lies from",
        "that of k = 0, at most, in units of its own length. Where a method is free of units only",
        "in direction, the length of its step follows the unit; Adam takes most of that out.",
        "",
        "![R2 of the worse head against k, for every method](loss_scale.png)",
        "",
        "| `weighting=` | claims | "
        + " | ".join(f"2^{power}" for power in POWERS)
        + " | trunk moved |",
        "|---|---|" + "---:|" * (len(POWERS) + 1),
        *(
            f"| `{each.name}` | {each.claim} | "
            + " | ".join(f"{value:.2f}" for value in each.worst)
            + f" | {each.moved:.1e} |"
            for each in outcomes
        ),
        "",
        f"{platform.machine()}, TensorFlow {tf.__version__}, Keras {keras.__version__}.",
    ]
    (HERE / "loss_scale.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def draw(outcomes: list[Outcome]) -> None:
    """Draws the table: a row a method, a column a power, the colour of the worse head's R2."""
    worst = np.clip([each.worst for each in outcomes], 0, 1)
    figure, axes = plt.subplots(figsize=(7.5, 0.26 * len(outcomes) + 1.6), layout="constrained")
    shown = axes.imshow(worst, aspect="auto", cmap="cividis", vmin=0, vmax=1)
    axes.set_xticks(range(len(POWERS)), [f"$2^{{{power}}}$" for power in POWERS])
    names = [f"{each.name}{'  *' if each.claim == 'scale-free' else ''}" for each in outcomes]
    axes.set_yticks(range(len(outcomes)), names)
    axes.set_xlabel("one head's loss is multiplied by")
    axes.set_title(
        "What is left of the worse head (test R2); * claims to be free of units", loc="left"
    )
    figure.colorbar(shown, label="R2 of the head served worst", shrink=0.6)
    figure.savefig(HERE / "loss_scale.png", dpi=150, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
