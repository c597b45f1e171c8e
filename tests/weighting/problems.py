"""Problems for methods: some steps of a training, drawn at random, with what a method is shown."""

from dataclasses import dataclass, replace

import numpy as np

from steelyard.weighting.base import Weighting

N_PARAMETERS = (2, 4, 12)  # few of them make rows that cancel, many make rows that can be served
MIXED = ("squared", "squared", "absolute", "entropy") * 2  # the kinds of so many losses
OF_TASKS = ("losses", "losses_after", "counts")  # [steps, K]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Some steps of a training, one an epoch: what a method is shown, and what it has learned."""

    jacobian: np.ndarray  # [steps, K, P]
    losses: np.ndarray  # [steps, K]
    losses_after: np.ndarray  # [steps, K] of the same batches after the step
    counts: np.ndarray  # [steps, K]
    loss_weights: np.ndarray  # [K]
    learned: np.ndarray  # [K] by which a learned memory is off its start
    draws: np.ndarray  # [steps, K, K]
    coordinate_draws: np.ndarray  # [steps, P]
    kinds: tuple[str, ...]

    @property
    def is_active(self) -> np.ndarray:
        """Which tasks [steps, K] are trained in each step."""
        return (self.counts > 0) & (self.loss_weights > 0)

    @property
    def rows(self) -> np.ndarray:
        """The gradients [steps, K, P]; a task without a label has none."""
        return self.jacobian * (self.counts > 0)[:, :, None]

    def reordered(self, order: np.ndarray) -> "Problem":
        """Returns the problem with its tasks in another order."""
        return replace(
            self,
            jacobian=self.jacobian[:, order],
            **{name: getattr(self, name)[:, order] for name in OF_TASKS},
            loss_weights=self.loss_weights[order],
            learned=self.learned[order],
            draws=self.draws[:, order][:, :, order],
            kinds=tuple(self.kinds[k] for k in order),
        )

    def of_first(self, n_tasks: int) -> "Problem":
        """Returns the problem of the first tasks alone."""
        return self.reordered(np.arange(n_tasks))

    def with_weight(self, task: int, weight: float) -> "Problem":
        """Returns the problem with another loss weight of one task."""
        loss_weights = self.loss_weights.copy()
        loss_weights[task] = weight
        return replace(self, loss_weights=loss_weights)

    def scaled(self, task: int, factor: float) -> "Problem":
        """Returns the problem with one task's loss multiplied by a constant."""
        factors = np.ones(len(self.loss_weights))
        factors[task] = factor
        return replace(
            self,
            jacobian=self.jacobian * factors[:, None],
            losses=self.losses * factors,
            losses_after=self.losses_after * factors,
        )

    def even(self) -> "Problem":
        """Returns the problem at loss weights of 1, or 0, and with every task in every batch."""
        is_missing = self.counts == 0
        return replace(
            self,
            losses=np.where(is_missing, 1.0, self.losses),
            losses_after=np.where(is_missing, 0.5, self.losses_after),
            counts=np.where(is_missing, 1.0, self.counts),
            loss_weights=(self.loss_weights > 0) * 1.0,
        )


def drawn(rng: np.random.Generator, n_tasks: int, n_steps: int, *, is_odd: bool = False) -> Problem:
    """Returns a random problem whose rows differ in length by up to twelve orders of magnitude.

    An odd one has rows that are zero, that repeat another, or that are exactly opposite to it.
    """
    n_parameters = rng.choice(N_PARAMETERS)
    jacobian = rng.normal(size=(n_steps, n_tasks, n_parameters))
    if is_odd:
        for k in rng.permutation(n_tasks)[: n_tasks // 2 + 1]:
            jacobian[:, k] = rng.choice([0, 1, -1]) * jacobian[:, rng.integers(n_tasks)]
    counts = rng.integers(0, 9, (n_steps, n_tasks)) * 1.0
    losses = np.exp(rng.normal(size=(n_steps, n_tasks))) * (counts > 0)
    return Problem(
        jacobian=jacobian * 10 ** rng.uniform(-6, 6, (n_tasks, 1)),
        losses=losses,
        losses_after=losses * np.exp(rng.normal(-0.1, 0.3, losses.shape)),
        counts=counts,
        loss_weights=rng.choice([0.0, 0.1, 1.0, 1.0, 3.0], n_tasks),
        learned=rng.normal(size=n_tasks),
        draws=rng.uniform(size=(n_steps, n_tasks, n_tasks)),
        coordinate_draws=rng.uniform(size=(n_steps, n_parameters)),
        kinds=MIXED if n_tasks == len(MIXED) else ("squared",) * n_tasks,
    )


def only_step(jacobian: np.ndarray) -> Problem:
    """Returns the problem of one step with these gradients [K, P], all else being even."""
    n_tasks, n_parameters = jacobian.shape
    ones = np.ones((1, n_tasks))
    return Problem(
        jacobian=jacobian[None],
        losses=ones,
        losses_after=ones,
        counts=ones,
        loss_weights=ones[0],
        learned=0 * ones[0],
        draws=np.full((1, n_tasks, n_tasks), 0.5),
        coordinate_draws=np.full((1, n_parameters), 0.5),
        kinds=("squared",) * n_tasks,
    )


def n_steps_of(method: Weighting) -> int:
    """Returns how many steps show all that a method does: more than one if it remembers."""
    remembers = type(method).remember is not Weighting.remember
    return 6 if remembers or method.keeps else 1  # beyond any warm-up
