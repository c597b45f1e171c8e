"""What a method answers problems with, asked as the training step asks it: in a graph."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from steelyard.arrays import Named
from steelyard.weighting.base import Look, Signals, Weighting
from tests.weighting.problems import N_PARAMETERS, OF_TASKS, Problem

RATE = 0.025  # of the optimizer of learned memories
Shapes = tuple[tuple[str, tuple[int, ...]], ...]


class Answer(NamedTuple):
    """What a method answered a step with, as NumPy's."""

    weights: np.ndarray  # [K]
    rows: np.ndarray  # [K, P] whose weighted sum is the update
    memory: dict[str, np.ndarray]
    kept: dict[str, np.ndarray]  # [K, P] each
    is_stationary: bool

    @property
    def update(self) -> np.ndarray:
        """The weighted gradient [P]."""
        return np.asarray(self.weights @ self.rows)


def answers(method: Weighting, problems: Sequence[Problem]) -> list[list[Answer]]:
    """Returns what a method answers each step of problems with, which have the same kinds.

    All of them are one call of one graph, for a call costs more than most methods do.
    """
    shown = _stacked(problems)
    shapes = tuple((name, each.shape[1:]) for name, each in shown.items())
    rule = compiled(method, problems[0].kinds, shapes)
    found = tf.nest.map_structure(
        lambda each: each.numpy(), rule({name: tf.constant(each) for name, each in shown.items()})
    )
    steps = iter(range(len(shown["losses"])))
    return [
        [_answer(found, next(steps), problem.jacobian.shape[2]) for _ in problem.losses]
        for problem in problems
    ]


def _stacked(problems: Sequence[Problem]) -> dict[str, np.ndarray]:
    """Returns what is shown of all steps of all problems, one step after the other."""
    width = max(N_PARAMETERS[-1], *(each.jacobian.shape[2] for each in problems))
    parts = []
    for each in problems:
        n_steps = len(each.losses)
        beyond = (0, width - each.jacobian.shape[2])  # coordinates that no task touches
        parts.append(
            {
                "rows": np.pad(each.rows, ((0, 0), (0, 0), beyond)),
                "coordinate_draws": np.pad(each.coordinate_draws, ((0, 0), beyond)),
                **{name: getattr(each, name) for name in (*OF_TASKS, "draws")},
                "loss_weights": np.tile(each.loss_weights, (n_steps, 1)),
                "learned": np.tile(each.learned, (n_steps, 1)),
                "epoch": np.arange(n_steps),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) * 1.0 for name in parts[0]}


def _answer(found: Any, step: int, n_parameters: int) -> Answer:
    return Answer(
        weights=found["weights"][step],
        rows=found["rows"][step][:, :n_parameters],
        memory={name: each[step] for name, each in found["memory"].items()},
        kept={name: each[step][:, :n_parameters] for name, each in found["kept"].items()},
        is_stationary=bool(found["is_stationary"][step]),
    )


@functools.cache
def compiled(method: Weighting, kinds: tuple[Any, ...], shapes: Shapes) -> Callable[..., Any]:
    """Returns a method's rule as the training step runs it, for many steps one after the other."""
    sizes = dict(shapes)
    start = {name: _exact(each) for name, each in method.remember(len(kinds)).items()}
    nothing = tf.zeros(sizes["rows"], tf.float64)
    kept = dict.fromkeys(method.keeps, nothing)

    def step(before: Named, now: Named) -> Named:
        def since_start(begun: Named, carried: Named) -> Named:
            is_first = now["epoch"] == 0
            return {name: tf.where(is_first, begun[name], carried[name]) for name in begun}

        off = {name: start[name] + now["learned"] for name in method.learns}
        memory = since_start({**start, **off}, before["memory"])
        return _step(method, kinds, now, memory, since_start(kept, before["kept"]))

    specs = {name: tf.TensorSpec((None, *shape), tf.float64) for name, shape in shapes}

    @tf.function(autograph=False, input_signature=[specs])
    def rule(shown: Named) -> Named:
        begin = {
            "weights": tf.zeros(len(kinds), tf.float64),
            "rows": nothing,
            "memory": start,
            "kept": kept,
            "is_stationary": tf.constant(0.0, tf.float64),
        }
        return tf.scan(step, shown, begin)

    return rule


def _step(
    method: Weighting, kinds: tuple[Any, ...], now: Named, memory: Named, kept: Named
) -> Named:
    """Returns what is found in one step; a method sees what it says it needs, and no more."""
    signals = Signals(
        losses=now["losses"],
        counts=now["counts"],
        loss_weights=now["loss_weights"],
        kinds=kinds,
        epoch=now["epoch"],
        draws=now["draws"] if method.needs_draws else None,
    )
    look = Look(now["rows"], kept, signals.losses)
    if method.needs_coordinates:
        look = method.look(now["rows"], kept, now["coordinate_draws"], signals.is_active)
        signals = signals._replace(statistic=look.statistic)
    if method.needs_gramian or method.needs_coordinates:
        signals = signals._replace(gramian=tf.matmul(look.rows, look.rows, transpose_b=True))
    weighing = method.weigh(signals, memory)
    after = dict(weighing.memory)
    if method.learns:
        if method.needs_losses_after:
            signals = signals._replace(losses_after=now["losses_after"])
        after |= _learned(method, signals, after)
    return {
        "weights": _exact(weighing.weights),
        "rows": _exact(look.rows),
        "memory": {name: _exact(after[name]) for name in memory},
        "kept": {name: _exact(look.kept[name]) for name in kept},
        "is_stationary": _exact(weighing.is_stationary),
    }


def _learned(method: Weighting, signals: Signals, memory: Named) -> Named:
    """Returns what is learned after a lesson: each moves as in the first step of an Adam."""
    before = {name: memory[name] for name in sorted(method.learns)}
    with tf.GradientTape() as tape:
        tape.watch(before)
        terms = method.lesson(signals, memory)
        objective = tf.reduce_sum(tf.where(signals.is_active, terms, 0.0))
    pulls = tape.gradient(objective, before, unconnected_gradients="zero")
    return {
        name: tf.where(signals.is_active, old - RATE * pulls[name] / (abs(pulls[name]) + 1e-7), old)
        for name, old in before.items()
    }


def _exact(value: Any) -> Any:
    return tf.cast(value, tf.float64)
