"""Optimizers that touch only those rows of an embedding that a batch touches.

Keras's own read and write the whole table and its moments in every step, and square the gradients
of a word that stands twice in a batch before they add them up. The rows here are summed first.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf

from steelyard.training.rows import Gradient, summed


class _ByRows(keras.optimizers.Optimizer):
    """What the optimizers by rows have in common, ahead of the Keras optimizer that they extend."""

    must_be: ClassVar[dict[str, Any]]  # settings that would reach rows that no batch touches

    def __init__(self, *options: Any, **named: Any) -> None:
        super().__init__(*options, **named)
        for name, wanted in self.must_be.items():
            given = getattr(self, name)
            if given and given != wanted:  # 0 and None are both off
                raise ValueError(
                    f"`{name}` must be {wanted}, got {given}: "
                    "it would reach rows that a batch does not touch."
                )

    def apply(self, grads: Sequence[Gradient], trainable_variables: Any = None) -> None:
        super().apply([summed(each) for each in grads], trainable_variables)

    def _clip_gradients(self, grads: Sequence[Gradient]) -> list[Gradient]:
        # A table's norm is that of its touched rows; left to itself, Keras would fill in the rest.
        is_sparse = [isinstance(each, tf.IndexedSlices) for each in grads]
        plain = [
            each.values if sparse else each for each, sparse in zip(grads, is_sparse, strict=True)
        ]
        clipped = super()._clip_gradients(plain)
        return [
            tf.IndexedSlices(new, old.indices, old.dense_shape) if sparse else new
            for new, old, sparse in zip(clipped, grads, is_sparse, strict=True)
        ]


@keras.saving.register_keras_serializable(package="steelyard")
class RowRMSprop(_ByRows, keras.optimizers.RMSprop):
    """RMSprop by rows, with the numbers that Keras's own has for the dense gradient.

        v <- rho^(n + 1) v + (1 - rho) g^2,    w <- w - rate g / sqrt(v + epsilon)

    where g is the gradient of a row that the batch touches, and n how many updates have passed it
    by. All that those would have done is to let v decay, so it catches up when it is needed: until
    then, what `variables` holds of v is older than Keras's. A dense gradient touches every row.

    Takes what `keras.optimizers.RMSprop` does, less the settings that would move other rows. Made
    for one device: what several replicas add up would have repeated rows again.
    """

    must_be: ClassVar[dict[str, Any]] = {
        "momentum": 0.0,
        "centered": False,
        "weight_decay": None,
        "use_ema": False,
        "gradient_accumulation_steps": None,
    }

    def build(self, var_list: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        # Which gradients will be sparse is not known yet, and one may be so in some steps alone. An
        # integer a row is next to nothing beside the row: int64, for which GPUs have more kernels.
        # Each variable has its own count, as `iterations` go on where a step leaves it out.
        self._passed_by = [
            self.add_variable(each.shape[:1], dtype="int64", name=f"{each.name}_passed_by")
            if len(each.shape) > 1
            else None
            for each in var_list
        ]

    def update_step(self, gradient: Gradient, variable: tf.Variable, learning_rate: Any) -> None:
        n = self._get_variable_index(variable)
        if self._passed_by[n] is None:
            dense = _filled(gradient, variable)
            super().update_step(dense, variable, learning_rate)
            return
        passed_by, velocity = self._passed_by[n].value, self._velocities[n].value
        rate = tf.cast(learning_rate, variable.dtype)
        gradient = tf.cast(gradient, variable.dtype)
        if isinstance(gradient, tf.IndexedSlices):
            rows, values = gradient.indices, gradient.values  # [R], [R, ...]
            decay = self._decay(tf.gather(passed_by, rows), values)
            moment = decay * tf.gather(velocity, rows) + (1 - self.rho) * tf.square(values)
            velocity.scatter_update(tf.IndexedSlices(moment, rows))
            variable.scatter_sub(tf.IndexedSlices(self._move(values, moment, rate), rows))
            passed_by.assign_add(tf.ones_like(passed_by))
            passed_by.scatter_update(tf.IndexedSlices(tf.zeros_like(rows, tf.int64), rows))
        else:
            decay = self._decay(passed_by, gradient)
            moment = decay * velocity + (1 - self.rho) * tf.square(gradient)
            velocity.assign(moment)
            variable.assign_sub(self._move(gradient, moment, rate))
            passed_by.assign(tf.zeros_like(passed_by))

    def _decay(self, n: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
        """Returns rho^(n + 1) [R, 1, ...], of the rho that Keras would multiply with each time."""
        rho = tf.cast(tf.cast(self.rho, like.dtype), tf.float64)
        power = tf.cast(tf.pow(rho, tf.cast(n + 1, tf.float64)), like.dtype)
        return tf.reshape(power, [-1] + [1] * (len(like.shape) - 1))

    def _move(self, gradient: tf.Tensor, moment: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        return rate * gradient / tf.sqrt(moment + self.epsilon)


@keras.saving.register_keras_serializable(package="steelyard")
class LazyAdam(_ByRows, keras.optimizers.Adam):
    """Adam that leaves alone the rows that a batch does not touch: not the same as Adam.

    In Adam both moments of an untouched row decay, and the row moves on by what is left of its
    first. Here they wait as they are until the row is touched again: a rare word stands still
    between touches, and its moments are means over its own steps, older than Adam's. What corrects
    for their start at zero counts all steps, as Adam's does. Where every step touches every row,
    and for a dense gradient, it is Adam.

    Takes what `keras.optimizers.Adam` does, less the settings that would move other rows. Made for
    one device: what several replicas add up would have repeated rows again.
    """

    must_be: ClassVar[dict[str, Any]] = {
        "amsgrad": False,
        "weight_decay": None,
        "use_ema": False,
        "gradient_accumulation_steps": None,
    }

    def update_step(self, gradient: Gradient, variable: tf.Variable, learning_rate: Any) -> None:
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        n = self._get_variable_index(variable)
        first, second = self._momentums[n].value, self._velocities[n].value
        gradient = tf.cast(gradient, variable.dtype)
        rows, values = gradient.indices, gradient.values  # [R], [R, ...]
        mean = _nearer(tf.gather(first, rows), values, self.beta_1)
        square = _nearer(tf.gather(second, rows), tf.square(values), self.beta_2)
        first.scatter_update(tf.IndexedSlices(mean, rows))
        second.scatter_update(tf.IndexedSlices(square, rows))
        step = tf.cast(self.iterations + 1, variable.dtype)
        left_1, left_2 = (
            tf.pow(tf.cast(beta, variable.dtype), step) for beta in (self.beta_1, self.beta_2)
        )
        rate = tf.cast(learning_rate, variable.dtype) * tf.sqrt(1 - left_2) / (1 - left_1)
        move = rate * mean / (tf.sqrt(square) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(move, rows))


_KEPT = ("rho", "epsilon", "clipnorm", "global_clipnorm", "clipvalue", "loss_scale_factor", "name")


def exact_by_rows(optimizer: Any) -> Any:
    """Returns an optimizer that works by rows and has the numbers of the given one.

    That is `RowRMSprop` in place of a plain `keras.optimizers.RMSprop` that is not built yet. Any
    other comes back as it is: `SGD` without momentum writes only touched rows already, and where
    untouched rows move there is nothing to spare.
    """
    if type(optimizer) is not keras.optimizers.RMSprop or optimizer.built:
        return optimizer
    if any(getattr(optimizer, name) for name in RowRMSprop.must_be):
        return optimizer
    rate = optimizer._learning_rate  # `learning_rate` is what a schedule says now
    options = {name: getattr(optimizer, name) for name in _KEPT}
    return RowRMSprop(rate if callable(rate) else float(rate), **options)


def _filled(gradient: Gradient, variable: tf.Variable) -> tf.Tensor:
    """Returns a gradient that is not sparse."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    n_rows = tf.shape(variable)[0]
    return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, n_rows)


def _nearer(before: tf.Tensor, seen: tf.Tensor, beta: float) -> tf.Tensor:
    """Returns a running mean after what was seen now."""
    return before + (seen - before) * (1 - beta)
