"""A model that is trained for a few steps, measured, and put back to its beginning."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np

from steelyard.data.order import order_of
from steelyard.training.balance import Balance
from steelyard.training.pipeline import Parts, prepare
from steelyard.training.sharing import n_shared_parameters
from steelyard.training.two_batches import TwoBatches
from steelyard.weighting.fixed import Fixed

N_CHUNK = 10  # steps between two readings
EVERY = 2  # steps between two measurements of gradients, each of which costs a pass a head


class Phase(NamedTuple):
    """What some steps of training showed, reading by reading."""

    steps: np.ndarray  # taken since the last reading [readings]
    losses: np.ndarray  # mean loss of each head [readings, K]
    norms: np.ndarray  # mean length of its gradient on the shared parameters; NaN if not measured
    told: list[dict[str, float]]  # what the diagnosis says, by name
    gramians: np.ndarray  # of two batches [readings, 2K, 2K]; empty where none was taken


class Probing:
    """A compiled model that begins each phase at the same initial weights.

    Its losses are weighed by numbers that stand still, whatever the weighting of the parts, so that
    what is measured are the heads and not the method.

    Args:
        parts: What a run would be made of.
        n_steps: Steps of a phase, at most; never more than the run would take.
    """

    def __init__(self, parts: Parts, n_steps: int) -> None:
        recipe = replace(parts.recipe, diagnose_every=EVERY)
        fixed = replace(parts, weighting=Fixed(), balance=Balance(), recipe=recipe)
        self.ready = prepare(fixed)
        self.model = self.ready.model
        self.heads = self.model.heads
        self.given = self.model.loss_weights.as_dict()  # what the run would weigh them by
        train = self.ready.judges["train"].examples
        self.inputs = train.inputs
        self.targets = {
            task.name: task.scale(train.targets[task.name]) for task in parts.source.tasks
        }
        self.n_batch = recipe.batch_size
        self.n_examples = len(next(iter(self.targets.values())))
        self.seed = parts.seeds.order or 0
        n_epoch = -(-self.n_examples // self.n_batch)
        self.n_steps = min(n_steps, n_epoch * recipe.epochs)
        recipe.apply_schedule(self.model.optimizer, n_epoch)
        self.model.optimizer.build(self.model.trainable_variables)
        self.start = [np.copy(keras.ops.convert_to_numpy(each)) for each in self.model.state]
        self.two_batches = TwoBatches(self.model, self.inputs, self.targets)

    @property
    def is_shared(self) -> bool:
        """Whether any parameter serves two heads."""
        return n_shared_parameters(self.model.network, self.heads) > 0

    def phase(
        self,
        weights: Mapping[str, float],
        n_steps: int,
        report: Callable[[int], None],
        *,
        is_looking: bool = False,
    ) -> Phase:
        """Trains the model from its beginning on loss weights, and returns what it showed.

        Args:
            weights: By head; a head that is not named takes no part.
            n_steps: How many to take.
            report: Told of the steps taken.
            is_looking: Whether gradients of two batches are compared at each reading.
        """
        for variable, value in zip(self.model.state, self.start, strict=True):
            variable.assign(value)
        self.model.loss_weights.assign(weights, others=0.0)
        order = self._order(n_steps * self.n_batch)
        ends = sorted({1, *range(N_CHUNK, n_steps, N_CHUNK), n_steps})  # the first step by itself
        losses, norms, told, gramians = [], [], [], []
        for begin, end in zip([0, *ends], ends, strict=False):
            rows = order[begin * self.n_batch : end * self.n_batch]
            self.ready.course.train(self.model, self.inputs, self.targets, rows, self.n_batch)
            told.append(self.model.diagnosis.told())
            losses.append(self._losses())
            norms.append([told[-1].get(f"{head}/gradient_norm", math.nan) for head in self.heads])
            if is_looking:
                gramians.append(self.two_batches.gramian(self._two(end)))
            report(end)
        return Phase(
            np.diff([0, *ends]), np.array(losses), np.array(norms), told, np.array(gramians)
        )

    def _losses(self) -> list[float]:
        told = self.model.means.told()
        return [told[f"{head}_loss"] for head in self.heads]

    def _order(self, n_rows: int) -> np.ndarray:
        """Returns which examples [n_rows] a run sees first."""
        n_epochs = -(-n_rows // self.n_examples)
        epochs = [order_of(self.n_examples, self.seed, epoch) for epoch in range(n_epochs)]
        return np.concatenate(epochs)[:n_rows]

    def _two(self, step: int) -> np.ndarray:
        """Returns the examples of two batches, drawn at random, that do not overlap."""
        drawn = np.random.default_rng([self.seed, step, 2]).permutation(self.n_examples)
        half = min(self.n_batch, self.n_examples // 2)
        return drawn[: 2 * half].astype("int32")
