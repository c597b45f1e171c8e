"""What a weighting method is: its knobs, and one pure rule from a step's signals to weights."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Literal, NamedTuple

from steelyard.arrays import Array, Gramian, Losses, Named, Weights, ops

KindOfLoss = Literal["squared", "absolute", "entropy"]
UseOfLossWeights = Literal["multiply", "share", "ignored"]


class Claim(Enum):
    """A property that a method promises, and that `tests/weighting/test_claims.py` holds it to."""

    EQUIVARIANT = "reordering the tasks reorders the weights, and changes nothing else"
    SCALE_FREE = "multiplying one task's loss by a constant does not move the weighted gradient"
    NON_CONFLICTING = "no task's loss rises, to first order, along the weighted gradient"


class Signals(NamedTuple):
    """What one training step shows a method."""

    losses: Losses  # [K] unweighted means over the batch's labelled examples
    counts: Array  # [K] labelled examples in the batch; 0 where a task has none
    loss_weights: Weights  # [K] the user's; 0 takes a task out of training
    kinds: tuple[KindOfLoss, ...]  # of each task's loss
    epoch: Array  # [] counts from zero
    gramian: Gramian | None = None  # [K, K] float64, where the method says `needs_gramian`

    @property
    def is_active(self) -> Array:
        """Whether each task [K] has labels in the batch and a loss weight above zero."""
        return ops.logical_and(self.counts > 0, self.loss_weights > 0)


class Weighing(NamedTuple):
    """What a method answers a step with."""

    weights: Weights  # [K]
    memory: Named
    is_stationary: Array = False  # whether the rows had no solution, and `weights` stands in


@dataclass(frozen=True, kw_only=True)
class Weighting(ABC):
    """A rule that gives each task its weight, once a step.

    A method is a value: its fields are its hyperparameters and nothing else. Whatever it carries
    from one step to the next is in `memory`, which the training step owns, saves and restores.
    """

    paper: ClassVar[str]  # key in references.bib
    claims: ClassVar[frozenset[Claim]] = frozenset()
    needs_gramian: ClassVar[bool] = False
    loss_weights: ClassVar[UseOfLossWeights] = "multiply"
    learns: ClassVar[frozenset[str]] = frozenset()  # memories [K] that an optimizer trains

    def remember(self, n_tasks: int) -> Named:
        """Returns the memory to begin with."""
        return {}

    @abstractmethod
    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        """Returns the weights for this step, and the memory for the next."""

    def penalty(self, signals: Signals, memory: Named) -> Array:
        """Returns the terms [K] that the objective adds to the weighted losses, to train `learns`.

        The terms of tasks that are not active in a step are left out of it.
        """
        return ops.zeros_like(signals.losses)
