"""Models of one make on top of each other: an operation of a step serves all of them at once.

The step of a small network is hundreds of operations, each of which computes next to nothing. On
variables with one more axis they are carried out once for many models.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from steelyard.arrays import Array
from steelyard.training.stackable import PACKET
from steelyard.training.weighed_model import WeighedModel

LEAST = 2  # TensorFlow takes other paths, with other roundings, where an axis has one entry


def rounded_up(batch_size: int) -> int:
    """Returns how many rows a batch has in a stack."""
    return -(-batch_size // PACKET) * PACKET


def portions(orders: Sequence[Array], batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows [R, n] of equally large batches, and which of them count [n]: 1 or 0.

    Args:
        orders: Each model's order of examples [N].
        batch_size: Examples that count in a batch; the last may have fewer.
    """
    n_examples, size = len(orders[0]), rounded_up(batch_size)
    n_steps = -(-n_examples // batch_size)

    def spread(values: np.ndarray) -> np.ndarray:
        filled = np.zeros((len(values), n_steps * batch_size), values.dtype)
        filled[:, :n_examples] = values
        found = np.zeros((len(values), n_steps, size), values.dtype)
        found[:, :, :batch_size] = filled.reshape(len(values), n_steps, batch_size)
        return found.reshape(len(values), -1)

    is_counted = spread(np.ones((1, n_examples), "float32"))[0]
    return spread(np.stack(orders).astype("int32")), is_counted


class Stack:
    """The variables of models of one make, one on top of the other, and the step that moves them.

    Args:
        pattern: A model of the make; its own variables are left alone.
        size: How many models it has room for, `LEAST` or more.
    """

    def __init__(self, pattern: WeighedModel, size: int) -> None:
        self.pattern, self.size = pattern, size
        trained = {id(each) for each in pattern.trainable_variables}
        own = _own(pattern)
        self.places = [n for n, each in enumerate(own) if id(each) in trained]
        self.moved = [n for n, each in enumerate(own) if id(each) not in trained]
        self.own = [_variable(tf.zeros([size, *each.shape], each.dtype)) for each in own]
        # What is alike for all: models that have come equally far are of one age.
        self.clocks = [_variable(tf.convert_to_tensor(each.value)) for each in pattern.clocks]
        self.optimizer = pattern.optimizer.from_config(pattern.optimizer.get_config())
        self.optimizer.build([self.own[n] for n in self.places])
        self.means = [n for n, each in enumerate(own) if id(each) in _of_means(pattern)]
        self.held: list[WeighedModel] = []  # whose values the variables have

    @property
    def variables(self) -> list[keras.Variable]:
        """All of them, in an order that does not change."""
        return [*self.own, *self.clocks, *self.optimizer.variables]

    def twins(self, model: WeighedModel) -> list[keras.Variable]:
        """Returns the variables of a model that the stack's stand for."""
        return [*_own(model), *model.clocks, *model.optimizer.variables]

    def lay(self, models: Sequence[WeighedModel]) -> None:
        """Takes over the models' variables, unless they are here from the last epoch.

        Room that is left is filled with the first model.
        """
        if self.held == list(models):
            return
        filled = [*models, *[models[0]] * (self.size - len(models))]
        for laid, *twins in zip(self.variables, *map(self.twins, filled), strict=True):
            is_alike = laid.shape == twins[0].shape
            values = [each.value for each in twins]
            laid.assign(values[0] if is_alike else tf.stack(values))
        self.held = list(models)

    def hand_back_to(self, model: WeighedModel) -> Callable[[Array], Array]:
        """Returns what gives a model the values at its place in the stack; to be traced."""

        def hand_back(n: Array) -> Array:
            for laid, twin in zip(self.variables, self.twins(model), strict=True):
                value = tf.convert_to_tensor(laid.value)
                twin.assign(value if laid.shape == twin.shape else value[n])
            return n

        return hand_back

    def begin_epoch(self) -> None:
        """Begins the means over an epoch anew."""
        for n in self.means:
            self.own[n].assign(tf.zeros(self.own[n].shape, self.own[n].dtype))
        self.clocks[0].assign(0)

    def end_epoch(self) -> None:
        """Counts an epoch."""
        self.clocks[2].assign_add(1.0)

    def step(self, examples: Any, is_counted: Array) -> None:
        """Takes a step of each model on a batch of its own.

        Args:
            examples: Inputs and targets, [R, B, ...] each.
            is_counted: 1 for the rows [B] that are examples, 0 for those that fill the batch up.
        """
        every = self.pattern.diagnosis.every
        if not every or len(self.pattern.heads) == 1:
            self._step(examples, is_counted, is_measured=False)
            return
        tf.cond(
            tf.convert_to_tensor(self.clocks[0].value) % every == 0,
            lambda: self._step(examples, is_counted, is_measured=True),
            lambda: self._step(examples, is_counted, is_measured=False),
        )

    def _step(self, examples: Any, is_counted: Array, *, is_measured: bool) -> Array:
        pattern, own = self.pattern, _own(self.pattern)
        clocks = [
            (one, tf.convert_to_tensor(each.value))
            for one, each in zip(pattern.clocks, self.clocks, strict=True)
        ]
        n_examples = tf.reduce_sum(is_counted)

        def pull(values: Sequence[Array], batch: Any) -> tuple[list[Array], list[Array]]:
            standing_for = [*zip(own, values, strict=True), *clocks]
            with keras.StatelessScope(state_mapping=standing_for) as scope:
                found = pattern.pull_of(
                    (*batch, is_counted), is_measured=is_measured, n_examples=n_examples
                )
                after = [scope.get_current_value(own[n]) for n in self.moved]
            return [tf.convert_to_tensor(each) for each in found.gradients], after

        before = [tf.convert_to_tensor(each.value) for each in self.own]
        gradients, after = tf.vectorized_map(lambda given: pull(*given), (before, examples))
        self.optimizer.apply(gradients, [self.own[n] for n in self.places])
        for n, value in zip(self.moved, after, strict=True):
            self.own[n].assign(value)
        for clock in self.clocks[:2]:  # the third counts epochs
            clock.assign_add(1)
        return tf.constant(True)


def _own(model: WeighedModel) -> list[keras.Variable]:
    """Returns a model's variables but those of its optimizer and those that count."""
    others = {id(each) for each in (*model.clocks, *model.optimizer.variables)}
    return [each for each in model.state if id(each) not in others]


def _of_means(model: WeighedModel) -> set[int]:
    means = [*model.metrics, *model.diagnosis.means]
    return {id(each) for mean in means for each in mean.variables}


def _variable(value: Array) -> keras.Variable:
    return keras.Variable(value, dtype=value.dtype.name)
