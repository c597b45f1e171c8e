"""Small quadratic programs solved by trying every set of active tasks, and rows to try them on."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from steelyard.weighting.base import Weighting
from tests.weighting.answers import Answer, answers
from tests.weighting.problems import only_step

KINDS = ("plain", "parallel", "opposed", "repeated", "zero")
MOST_TASKS = 6  # 64 sets of tasks
CANCELLED = 1e-6  # share of the pulls below which what they leave counts as nothing


def every_set(n_tasks: int) -> np.ndarray:
    """Returns every set of tasks [2^K, K], as ones and zeros."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=n_tasks)))


def least_squares_in_cone(matrix: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns the y [K] >= 0 that minimises ||A y - f||, for A [P, K] and f [P].

    For each set the equations of its own tasks are solved; the solution is the one that breaks no
    condition of the whole: y >= 0, and no gain from any task, A^T (f - A y) <= 0.
    """
    chosen = every_set(matrix.shape[1])
    found = chosen * (np.linalg.pinv(matrix * chosen[:, None, :]) @ wanted)  # [2^K, K]
    gains = (wanted - found @ matrix.T) @ matrix
    broken = np.maximum(-found.min(axis=1), gains.max(axis=1)) / (1 + np.abs(found).sum(axis=1))
    return found[np.argmin(broken)]


def projected(rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Returns the nearest vector to a given one that no row works against."""
    return vector + least_squares_in_cone(rows.T, -vector) @ rows


def shortest_in_hull(rows: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Returns the pulls x [K] >= 0 that minimise ||sum_k x_k u_k|| with sum_k p_k x_k = 1."""
    wanted = np.append(np.zeros(rows.shape[1]), 1.0)
    pulls = least_squares_in_cone(np.vstack([rows.T, prices]), wanted)
    return pulls / (prices @ pulls)


def best_of_worst(
    rows: np.ndarray, centre: np.ndarray, prices: np.ndarray, radius: float
) -> np.ndarray:
    """Returns the x with ||x - centre|| = radius for which min_k u_k . x / p_k is largest."""
    chosen = every_set(len(rows))[1:]
    inverse = np.linalg.pinv(rows * chosen[:, :, None])  # [2^K - 1, P, K]
    there, offset = (inverse @ prices), (inverse @ (rows @ centre))  # e = t * there - offset
    rise, mixed = (there**2).sum(axis=1), (there * offset).sum(axis=1)
    spare = mixed**2 - rise * ((offset**2).sum(axis=1) - radius**2)
    t = (mixed + np.sqrt(np.maximum(spare, 0))) / np.maximum(rise, 1e-300)
    steps = t[:, None] * there - offset
    pulls = (np.swapaxes(inverse, 1, 2) @ steps[:, :, None])[:, :, 0]
    wanted = t[:, None] * prices - rows @ centre
    short = ((wanted - steps @ rows.T) / (1 + np.abs(wanted))).max(axis=1)
    broken = np.maximum(short, -pulls.min(axis=1) / (1 + np.abs(pulls).sum(axis=1)))
    is_off = np.abs(np.linalg.norm(steps, axis=1) - radius) > 1e-9 * radius
    return centre + steps[np.argmin(np.where(is_off, np.inf, broken))]


def odd_rows(rng: np.random.Generator, kind: str, n_tasks: int) -> np.ndarray:
    """Returns gradients [K, P] whose lengths differ by up to twelve orders of magnitude.

    Lengths are set by powers of two, so that rows that repeat each other do so exactly.
    """
    jacobian = rng.normal(size=(n_tasks, rng.choice([2, 4, 12])))
    one, other = rng.permutation(max(n_tasks, 2))[:2]
    if n_tasks > 1:
        near = 10 ** rng.uniform(-3, -1) * rng.normal(size=jacobian.shape[1])
        jacobian[one] = {
            "plain": jacobian[one],
            "parallel": jacobian[other] + near,
            "opposed": rng.choice([0, 1]) * near - jacobian[other],
            "repeated": jacobian[other],
            "zero": 0 * jacobian[other],
        }[kind]
    return jacobian * 2.0 ** rng.integers(-20, 21, (n_tasks, 1))


def asked(method: Weighting, jacobian: np.ndarray) -> Answer:
    """Returns what a method answers in a graph, where every task is active."""
    return answers(method, [only_step(jacobian)])[0][0]


def steps(
    method: Weighting, n_tasks: int, n_problems: int = 12
) -> Iterator[tuple[np.ndarray, np.ndarray, Answer]]:
    """Yields the unit rows and the lengths of odd gradients, and the answer to them.

    Only the rows that are not zero are yielded; the weight of any other has to be zero.
    """
    rng = np.random.default_rng(n_tasks)
    jacobians = [odd_rows(rng, kind, n_tasks) for kind in KINDS * n_problems]
    answered = answers(method, [only_step(each) for each in jacobians])
    for jacobian, (answer,) in zip(jacobians, answered, strict=True):
        assert np.isfinite(answer.weights).all()
        lengths = np.linalg.norm(jacobian, axis=1)
        is_there = lengths > 0
        assert (answer.weights[~is_there] == 0).all()
        rows = jacobian[is_there] / lengths[is_there, None]
        yield rows, lengths[is_there], answer._replace(weights=answer.weights[is_there])


def worst_miss(
    method: Weighting,
    n_tasks: int,
    expected: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    is_direction: bool = False,
) -> float:
    """Returns how far weighted gradients are from those of enumeration, in units of the allowed.

    A flagged step is allowed to leave next to nothing, of rows of which next to nothing can be
    left. Without a step that is not flagged, nothing was compared: the miss is infinite.
    """
    worst, n_free = 0.0, 0
    for rows, lengths, answer in steps(method, n_tasks):
        pulls = answer.weights * lengths
        update = pulls @ rows
        if answer.is_stationary:
            shortest = shortest_in_hull(rows, np.ones(len(rows))) @ rows
            left = max(np.linalg.norm(update) / max(pulls.sum(), 1e-300), np.linalg.norm(shortest))
            worst = max(worst, left / CANCELLED)
            continue
        n_free += 1
        wanted = expected(rows, lengths)
        if is_direction:
            update, wanted = update / np.linalg.norm(update), wanted / np.linalg.norm(wanted)
        slack = 1e-6 * np.linalg.norm(wanted) + 1e-8 * pulls.sum() * (not is_direction)
        worst = max(worst, np.linalg.norm(update - wanted) / slack)
    return float(worst) if n_free else float("inf")
