"""How our methods are asked: with a Jacobian, or with the losses of some steps."""

import importlib
import inspect
from typing import Any

import numpy as np

from steelyard.weighting.base import Signals, Weighting

N_EPOCHS = 4  # of a question about losses
KNOBS = {"stch": {"warmup_epochs": N_EPOCHS - 1}, "gradvac": {"beta": 0.5}}  # as the peers have


def method_of(stem: str, **knobs: Any) -> Weighting:
    """Returns the method that a file defines, with the knobs of this comparison."""
    module = importlib.import_module(f"steelyard.weighting.{stem}")
    kinds = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Weighting) and kind.__module__ == module.__name__
    ]
    return kinds[0](**{**KNOBS.get(stem, {}), **knobs})


def signals_of(losses: np.ndarray, **more: Any) -> Signals:
    """Returns the signals of a step in which every task is active."""
    ones = np.ones(len(losses))
    given = {"counts": ones, "loss_weights": ones, "epoch": np.zeros(()), **more}
    return Signals(losses=losses, **{"kinds": ("squared",) * len(losses), **given})


def weights_after(method: Weighting, steps: list[Signals]) -> np.ndarray:
    """Returns the weights [K] of the last of some steps; NaN where that step is flagged."""
    memory = method.remember(len(steps[0].losses))
    for signals in steps:
        memory = {name: np.asarray(each, "float64") for name, each in memory.items()}
        answer = method.weigh(signals, memory)
        memory = answer.memory
    return np.where(np.asarray(answer.is_stationary), np.nan, np.asarray(answer.weights))


def in_turn(n_tasks: int) -> np.ndarray:
    """Returns the orders [1, K, K - 1] of visits in which nothing is drawn."""
    return np.array([[[j for j in range(n_tasks) if j != k] for k in range(n_tasks)]])


def weights_of(method: Weighting, rows: Any, orders: np.ndarray | None = None) -> np.ndarray:
    """Returns the weights [K] for a Jacobian, where tasks meet in some orders [steps, K, K - 1]."""
    rows = np.asarray(rows, "float64")
    n_tasks = len(rows)
    steps = []
    for order in in_turn(n_tasks) if orders is None else orders:
        draws = np.full((n_tasks, n_tasks), 0.5 / n_tasks)
        np.put_along_axis(draws, order, np.arange(1, n_tasks) / n_tasks, axis=1)
        steps.append(signals_of(np.ones(n_tasks), gramian=rows @ rows.T, draws=draws))
    return weights_after(method, steps)
