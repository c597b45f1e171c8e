"""By how much a method misses what it claims: one measure for each claim."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

import numpy as np
from scipy.optimize import nnls

from steelyard.weighting.base import Claim, Weighting
from tests.weighting.answers import Answer, answers
from tests.weighting.problems import Problem, drawn, n_steps_of

N_PROBLEMS = 15  # in a trial
ROUNDING = 1e-12  # of a memory: what has cancelled down to less is nothing
NEAR = 1e-4  # rows whose hull comes so near to zero may count as stationary

Steps = list[Answer]


class Trial:
    """Random problems, in several forms, and what a method answers them with.

    What one claim has asked for, the next one finds.
    """

    def __init__(self, method: Weighting, seed: int, n_tasks: int, *, is_odd: bool = False) -> None:
        self.rng = np.random.default_rng(seed)
        self.n_tasks = n_tasks
        self.asked = partial(answers, method)
        n_steps = n_steps_of(method)
        self.problems = [
            drawn(self.rng, n_tasks, n_steps, is_odd=is_odd) for _ in range(N_PROBLEMS)
        ]

    @cached_property
    def plain(self) -> list[Steps]:
        """The answers to the problems as they are."""
        return self.asked(self.problems)

    @cached_property
    def reordered(self) -> list[tuple[np.ndarray, list[Steps]]]:
        """Orders of the tasks, and the answers in each of them.

        The swap of the first two tasks and the cycle of all of them generate every order.
        """
        swap, cycle = np.arange(self.n_tasks), np.roll(np.arange(self.n_tasks), 1)
        swap[:2] = swap[:2][::-1]
        return [
            (order, self.asked([each.reordered(order) for each in self.problems]))
            for order in (swap, cycle)
        ]

    @cached_property
    def scaled(self) -> list[Steps]:
        """The answers where the loss of one task is multiplied by a constant."""
        return self.asked(
            [
                each.scaled(self.rng.integers(self.n_tasks), 10 ** self.rng.uniform(-6, 6))
                for each in self.problems
            ]
        )

    @cached_property
    def even(self) -> tuple[list[Problem], list[Steps]]:
        """The problems with loss weights of 1 or 0, and no label missing; and the answers."""
        problems = [each.even() for each in self.problems]
        return problems, self.asked(problems)


def pairs_of(one: list[Steps], other: list[Steps]) -> Iterator[tuple[Answer, Answer]]:
    """Yields both answers to each step of each problem."""
    for both in zip(one, other, strict=True):
        yield from zip(*both, strict=True)


def distance(one: np.ndarray, other: np.ndarray, *, least: float = 0.0) -> float:
    """Returns how far apart two arrays are, in units of their own size, or of the least."""
    size = max(np.linalg.norm(one) + np.linalg.norm(other), least)
    return 0.0 if size == 0 else float(2 * np.linalg.norm(one - other) / size)


def worst(missed: Sequence[float] | np.ndarray) -> float:
    return float(np.max(missed, initial=0.0))  # unlike `max`, it keeps what is not a number


def missed_by_order(trial: Trial) -> float:
    """Returns how far the answers are from equivariant."""
    missed = []
    for order, turned in trial.reordered:
        for one, other in pairs_of(trial.plain, turned):
            missed.append(distance(one.weights[order], other.weights))
            memories = [
                *((in_order(one.memory[name], order), other.memory[name]) for name in one.memory),
                *((one.kept[name][order], other.kept[name]) for name in one.kept),
            ]
            missed += [distance(*pair, least=ROUNDING) for pair in memories]
    return worst(missed)


def in_order(memory: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Returns a memory of a number, of one a task [K], or of one a pair of tasks [K, K]."""
    return memory[np.ix_(*[order] * memory.ndim)] if memory.ndim else memory


def missed_by_scale(trial: Trial, measure: Callable[[Answer, Answer], float]) -> float:
    """Returns what happens to the weighted gradient when the loss of one task is multiplied."""
    return worst([measure(*pair) for pair in pairs_of(trial.plain, trial.scaled)])


def move(one: Answer, other: Answer) -> float:
    """Returns how far the weighted gradient moves."""
    return distance(one.update, other.update)


def turn(one: Answer, other: Answer) -> float:
    """Returns how far the weighted gradient turns.

    Where both answers say that the rows are stationary, it has no direction to speak of.
    """
    if one.is_stationary and other.is_stationary:
        return 0.0
    return distance(*(each.update / (np.linalg.norm(each.update) or 1.0) for each in (one, other)))


def missed_by_conflict(trial: Trial) -> float:
    """Returns how much the weighted gradient turns against a task, as a cosine.

    Where a method says that the rows are stationary, they must be, and nothing else is asked.
    """
    missed = []
    for problem, steps in zip(trial.problems, trial.plain, strict=True):
        for rows, is_active, answer in zip(problem.rows, problem.is_active, steps, strict=True):
            active = rows[is_active]
            if answer.is_stationary:
                missed.append(0.0 if hull_distance(active) < NEAR else 1.0)
                continue
            sizes = np.linalg.norm(active, axis=1) * np.linalg.norm(answer.update)
            cosines = (active @ answer.update)[sizes != 0] / sizes[sizes != 0]
            missed.append(worst(-cosines))
    return worst(missed)


def hull_distance(rows: np.ndarray) -> float:
    """Returns how near to zero the convex hull of the rows' directions comes.

    For w >= 0, the least ||U^T w||^2 + (sum_k w_k - 1)^2 is m^2 / (1 + m^2), with m the distance.
    """
    rows = rows[np.linalg.norm(rows, axis=1) > 0]
    if not len(rows):
        return 0.0
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    wanted = np.append(np.zeros(directions.shape[1]), 1.0)
    _, residual = nnls(np.vstack([directions.T, np.ones(len(rows))]), wanted)
    return float(residual / np.sqrt(max(1 - residual**2, 1e-300)))


def missed_by_sum(
    trial: Trial, sum_of: Callable[[int], int], *, may_be_negative: bool = True
) -> float:
    """Returns how far the weights of the tasks that take part are from a sum, or below zero."""
    missed = []
    for problem, steps in zip(*trial.even, strict=True):
        for answer in steps:
            weights = answer.weights[problem.loss_weights > 0]
            missed.append(abs(weights.sum() - sum_of(len(weights))))
            if not may_be_negative:
                missed.append(worst(-weights))
    return worst(missed)


def one_if_any(n_tasks: int) -> int:
    return min(n_tasks, 1)


MISSED: dict[Claim, Callable[[Trial], float]] = {
    Claim.CONVEX: partial(missed_by_sum, sum_of=one_if_any, may_be_negative=False),
    Claim.SUMS_TO_ONE: partial(missed_by_sum, sum_of=one_if_any),
    Claim.SUMS_TO_K: partial(missed_by_sum, sum_of=int),
    Claim.EQUIVARIANT: missed_by_order,
    Claim.SCALE_FREE: partial(missed_by_scale, measure=move),
    Claim.SCALE_FREE_DIRECTION: partial(missed_by_scale, measure=turn),
    Claim.NON_CONFLICTING: missed_by_conflict,
}
