"""Random problems for methods, and what a method answers them with."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from steelyard.arrays import Named
from steelyard.weighting.base import Signals, Weighing, Weighting
from tests.weighting.signals import signals_of

N_PARAMETERS = (2, 4, 12)  # few of them make rows that cancel, many make rows that can be served
KINDS = ("squared", "squared", "absolute", "entropy")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Some steps of a training, one an epoch: what a method is shown, and what it has learned."""

    jacobian: np.ndarray  # [K, P]
    losses: np.ndarray  # [steps, K]
    counts: np.ndarray  # [steps, K]
    loss_weights: np.ndarray  # [K]
    learned: np.ndarray  # [K]
    kinds: tuple[str, ...]

    @property
    def is_active(self) -> np.ndarray:
        """Which tasks [steps, K] are trained in each step."""
        return (self.counts > 0) & (self.loss_weights > 0)

    def rows(self, step: int) -> np.ndarray:
        """Returns the gradients [K, P] of a step; a task without a label has none."""
        return self.jacobian * (self.counts[step] > 0)[:, None]

    def reordered(self, order: np.ndarray) -> "Problem":
        return Problem(
            jacobian=self.jacobian[order],
            losses=self.losses[:, order],
            counts=self.counts[:, order],
            loss_weights=self.loss_weights[order],
            learned=self.learned[order],
            kinds=tuple(self.kinds[k] for k in order),
        )

    def scaled(self, task: int, factor: float) -> "Problem":
        """Returns the problem with one task's loss multiplied by a constant."""
        factors = np.ones(len(self.jacobian))
        factors[task] = factor
        jacobian = self.jacobian * factors[:, None]
        return replace(self, jacobian=jacobian, losses=self.losses * factors)


class Answer(NamedTuple):
    """What a method answered a step with, as NumPy's."""

    weights: np.ndarray  # [K]
    memory: dict[str, np.ndarray]
    is_stationary: bool


def drawn(rng: np.random.Generator, n_tasks: int, n_steps: int, *, is_odd: bool = False) -> Problem:
    """Returns a random problem whose rows differ in length by up to twelve orders of magnitude.

    An odd one has rows that are zero, that repeat another, or that are exactly opposite to it.
    """
    jacobian = rng.normal(size=(n_tasks, rng.choice(N_PARAMETERS)))
    if is_odd:
        for k in rng.permutation(n_tasks)[: n_tasks // 2 + 1]:
            jacobian[k] = rng.choice([0, 1, -1]) * jacobian[rng.integers(n_tasks)]
    jacobian *= 10 ** rng.uniform(-6, 6, (n_tasks, 1))
    counts = rng.integers(0, 9, (n_steps, n_tasks)) * 1.0
    return Problem(
        jacobian=jacobian,
        losses=np.exp(rng.normal(size=(n_steps, n_tasks))) * (counts > 0),
        counts=counts,
        loss_weights=rng.choice([0.0, 0.1, 1.0, 1.0, 3.0], n_tasks),
        learned=rng.normal(size=n_tasks),
        kinds=tuple(KINDS[k % len(KINDS)] for k in range(n_tasks)),
    )


@functools.cache
def compiled(method: Weighting, kinds: tuple[Any, ...]) -> Callable[..., Weighing]:
    """Returns a method's rule as the training step runs it: in a graph."""

    @tf.function(autograph=False)
    def rule(signals: Named, memory: Named) -> Weighing:
        return method.weigh(Signals(**signals, kinds=kinds), memory)

    return rule


def answers(method: Weighting, problem: Problem) -> Iterator[Answer]:
    """Yields what a method answers each step of a problem with."""
    n_tasks = len(problem.jacobian)
    rule = compiled(method, problem.kinds)
    memory = {name: as_float64(each) for name, each in method.remember(n_tasks).items()}
    memory |= dict.fromkeys(method.learns, problem.learned)
    for step in range(len(problem.losses)):
        signals = signals_of(
            problem.rows(step),
            "float64",
            losses=problem.losses[step],
            counts=problem.counts[step],
            loss_weights=problem.loss_weights,
            epoch=np.array(step),
        )._asdict()
        signals.pop("kinds")
        tensors = [
            {name: tf.constant(each, "float64") for name, each in named.items()}
            for named in (signals, memory)
        ]
        weighing = rule(*tensors)
        memory = {name: as_float64(each) for name, each in weighing.memory.items()}
        yield Answer(as_float64(weighing.weights), memory, bool(weighing.is_stationary))


def as_float64(value: Any) -> np.ndarray:
    return np.asarray(value, "float64")


def n_steps_of(method: Weighting) -> int:
    """Returns how many steps show all that a method does: more than one if it remembers."""
    return 6 if method.remember(1) else 1  # beyond any warm-up
