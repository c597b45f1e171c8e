"""What a weighting method is: its knobs, and one pure rule from a step's signals to weights."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Literal, NamedTuple

from steelyard.arrays import Array, Gramian, Losses, Named, Weights, ops

KindOfLoss = Literal["squared", "absolute", "entropy"]
UseOfLossWeights = Literal["multiply", "share", "ignored"]


class Claim(Enum):
    """A property that a method promises, and that `tests/weighting/test_claims.py` holds it to.

    Claims of sums and of convexity are meant at loss weights of 1, over the tasks that take part.
    """

    CONVEX = "the weights are not negative, and sum to one"
    SUMS_TO_ONE = "the weights sum to one"
    SUMS_TO_K = "the weights sum to the number of tasks"
    EQUIVARIANT = "reordering the tasks reorders the weights, and changes nothing else"
    SCALE_FREE = "multiplying one task's loss by a constant does not move the weighted gradient"
    SCALE_FREE_DIRECTION = "multiplying one task's loss by a constant does not turn it"
    NON_CONFLICTING = "no task's loss rises, to first order, along the weighted gradient"


class Signals(NamedTuple):
    """What one training step shows a method."""

    losses: Losses  # [K] unweighted means over the batch's labelled examples
    counts: Array  # [K] labelled examples in the batch; 0 where a task has none
    loss_weights: Weights  # [K] the user's; 0 takes a task out of training
    kinds: tuple[KindOfLoss, ...]  # of each task's loss
    epoch: Array  # [] counts from zero
    gramian: Gramian | None = None  # [K, K] float64, where the method says `needs_gramian`
    draws: Array | None = None  # [K, K] uniform on (0, 1), new in each step, where it `needs_draws`
    statistic: Array | None = None  # [K] float64, of `look`, where it `needs_coordinates`
    losses_after: Losses | None = None  # [K] of the same batch after the step, in `lesson` alone

    @property
    def is_active(self) -> Array:
        """Whether each task [K] has labels in the batch and a loss weight above zero."""
        return ops.logical_and(self.counts > 0, self.loss_weights > 0)


class Weighing(NamedTuple):
    """What a method answers a step with."""

    weights: Weights  # [K]
    memory: Named
    is_stationary: Array = False  # whether the rows had no solution, and `weights` stands in


class Look(NamedTuple):
    """What a method that works on coordinates makes of the tasks' gradients on one variable."""

    rows: Array  # [K, P] that are used in place of the gradients
    kept: Named  # [K, P] each: what it remembers of every coordinate
    statistic: Array  # [K], summed over the shared variables


@dataclass(frozen=True, kw_only=True)
class Weighting(ABC):
    """A rule that gives each task its weight, once a step.

    A method is a value: its fields are its hyperparameters and nothing else. Whatever it carries
    from one step to the next is in `memory`, which the training step owns, saves and restores.
    """

    paper: ClassVar[str]  # key in references.bib
    claims: ClassVar[frozenset[Claim]] = frozenset()
    loss_weights: ClassVar[UseOfLossWeights] = "multiply"
    moves: ClassVar[bool] = True  # whether its weights should change in the course of a training
    needs_gramian: ClassVar[bool] = False
    needs_draws: ClassVar[bool] = False
    needs_losses_after: ClassVar[bool] = False  # costs a forward pass a step
    needs_coordinates: ClassVar[bool] = False  # as well as the Gramian of what `look` returns
    keeps: ClassVar[tuple[str, ...]] = ()  # memories of every coordinate, zero to begin with
    learns: ClassVar[frozenset[str]] = frozenset()  # memories [K] that an optimizer trains

    def check(self, n_tasks: int) -> None:  # noqa: B027  most methods take any number
        """Refuses a number of tasks that the knobs do not fit.

        Raises:
            ValueError: They do not.
        """

    def remember(self, n_tasks: int) -> Named:
        """Returns the memory to begin with."""
        return {}

    @abstractmethod
    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        """Returns the weights for this step, and the memory for the next."""

    def lesson(self, signals: Signals, memory: Named) -> Array:
        """Returns the terms [K] whose sum an optimizer makes smaller, to train what `learns` names.

        The terms of tasks that are not active in a step are left out, and what such a task has
        learned does not move. A method that `needs_losses_after` is asked after the step.
        """
        return ops.zeros_like(signals.losses)

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        """Returns what the method makes of the tasks' gradients on one shared variable.

        Only the rows of an embedding that some task touches are shown. So a method must treat
        each coordinate by itself, and where all rows are zero leave it as it is.

        Args:
            rows: The gradients [K, P] on this variable.
            kept: What it remembers of these coordinates, [K, P] each, by the names in `keeps`.
            draws: Uniform numbers [P], new in each step.
            is_active: Whether each task takes part in the step [K].
        """
        return Look(rows, kept, ops.zeros_like(rows[:, 0]))
