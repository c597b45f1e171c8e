"""Backward passes: the only file that takes a gradient."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from steelyard.arrays import Array, Named, Weights, ops
from steelyard.training.rows import Gradient, summed


@dataclass(frozen=True, kw_only=True)
class Passes:
    """The backward passes of one step, through one forward pass that a persistent tape has seen.

    Gradients are `unit` times too long, as an optimizer that scales the loss against underflow
    wants them.
    """

    tape: tf.GradientTape
    by_task: Sequence[Array]  # the heads' losses, [] each
    penalty: Array | None  # of the network's regularizers
    variables: Sequence[keras.Variable]
    unit: Array

    def of_each(self, sources: Sequence[Any], is_active: Array) -> list[list[Gradient]]:
        """Returns each head's own gradients on the sources: one pass a head.

        Those of a head that takes no part are zero: half a precision might not hold them.
        """
        factors = ops.unstack(ops.cast(is_active, "float32"), len(self.by_task))
        return [
            self.tape.gradient(loss, sources, output_gradients=factor * self._unit_of(loss))
            for factor, loss in zip(factors, self.by_task, strict=True)
        ]

    def of_sum(self, weights: Sequence[Array], sources: Sequence[Any]) -> list[Gradient]:
        """Returns the gradients of the weighted sum of losses and of the penalty: one pass."""
        targets = list(self.by_task)
        scales = [
            weight * self._unit_of(loss) for weight, loss in zip(weights, targets, strict=True)
        ]
        if self.penalty is not None:
            targets, scales = [*targets, self.penalty], [*scales, self.unit]
        return [summed(each) for each in self.tape.gradient(targets, sources, scales)]

    def of_penalty(self) -> list[Gradient]:
        """Returns the gradients of the penalty alone."""
        if self.penalty is None:
            return [None] * len(self.variables)
        return list(self.tape.gradient(self.penalty, self.variables, output_gradients=self.unit))

    def links(self) -> list[tuple[int, ...]]:
        """Returns which heads' losses reach each variable; called while a graph is traced."""
        reached = [
            [each is not None for each in self.tape.gradient(loss, self.variables)]
            for loss in self.by_task
        ]
        n_variables = len(self.variables)
        return [tuple(k for k, found in enumerate(reached) if found[n]) for n in range(n_variables)]

    def _unit_of(self, loss: Array) -> Array:
        return ops.cast(self.unit, loss.dtype)


def of_both(
    passes: Passes, links: Sequence[tuple[int, ...]], shared: Weights, private: Weights
) -> list[Gradient]:
    """Returns the gradients where shared and private variables see the losses weighed otherwise.

    Args:
        passes: Of the step.
        links: Which heads reach each variable.
        shared: The weights [K] for variables that two heads reach, or more.
        private: The weights [K] for all others.
    """
    n_heads = len(passes.by_task)
    found: list[Gradient] = [None] * len(links)
    for is_shared, weights in ((True, shared), (False, private)):
        places = [n for n, heads in enumerate(links) if (len(heads) > 1) == is_shared]
        sources = [passes.variables[n] for n in places]
        if sources:
            given = passes.of_sum(ops.unstack(weights, n_heads), sources)
            for n, each in zip(places, given, strict=True):
                found[n] = each
    return found


def added(one: Gradient, other: Gradient) -> Gradient:
    """Returns the sum of two gradients, either of which may be missing."""
    return one if other is None else other if one is None else tf.add(one, other)


def descend(
    terms: Callable[[Named], Array],
    memory: Named,
    variables: dict[str, keras.Variable],
    optimizer: keras.optimizers.Optimizer,
    is_active: Array,
) -> None:
    """Moves learned memories [K] down the sum of the active tasks' terms; the others' stay."""
    names = sorted(variables)
    before = [memory[name] for name in names]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(before)
        objective = ops.sum(ops.where(is_active, terms(memory), 0.0))
    moved = tape.gradient(objective, before)
    gradients = [
        tf.zeros_like(old) if each is None else tf.where(is_active, each, 0.0)
        for each, old in zip(moved, before, strict=True)
    ]
    optimizer.apply(gradients, [variables[name] for name in names])
    for name, old in zip(names, before, strict=True):
        variables[name].assign(ops.where(is_active, variables[name].value, old))
