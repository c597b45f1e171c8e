"""From a source and a network's plan to a trained, tested model: what decides a run's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from steelyard.data.source import SPLITS, Examples, Source, Split
from steelyard.models.network import Network
from steelyard.task import Task
from steelyard.training.alarms import alarms
from steelyard.training.balance import Balance
from steelyard.training.describe import describe, digest
from steelyard.training.fit import Judge, Report, fit
from steelyard.training.heads import ScaledLoss
from steelyard.training.loss_weights import resolve
from steelyard.training.recipe import Recipe
from steelyard.training.runtime import Seeds
from steelyard.training.sharing import n_shared_parameters
from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Weighting

N_START = 2048  # training examples on which the losses at the start are measured
PREDICT_BATCH = 512


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a run is made of."""

    source: Source
    network: Network
    weighting: Weighting
    balance: Balance
    optimizer: Any
    recipe: Recipe
    loss_weights: Mapping[str, Any]  # a rule, and numbers by head
    seeds: Seeds  # all of them set


class Outcome(NamedTuple):
    """What came of a run."""

    network: keras.Model
    status: str  # `finished` or `diverged`
    history: list[dict[str, float]]
    facts: dict[str, Any]


def carry_out(parts: Parts, folder: Path, checkpoint_seconds: float, report: Report) -> Outcome:
    """Trains and tests what the parts describe.

    Args:
        parts: What the run is made of.
        folder: Where its checkpoint is.
        checkpoint_seconds: The least time between two checkpoints.
        report: Told of each epoch.
    """
    splits = {split: parts.source.load(split) for split in SPLITS}
    tasks = parts.source.tasks
    train = splits["train"]
    _check_labels(tasks, train)
    keras.utils.set_random_seed(_python_seed(parts.seeds.weights))
    network = parts.network.build(parts.source.inputs, tasks)

    def judge(split: Split, trained: frozenset[str]) -> Judge:
        return Judge(
            tasks=tasks,
            examples=splits[split],
            train_targets=train.targets,
            trained=trained,
            batch_size=PREDICT_BATCH,
        )

    heads = [task.name for task in tasks]
    everyone = frozenset(heads)
    constant = {task.name: judge("train", everyone).constant_loss(task) for task in tasks}
    start = _start_losses(network, judge("train", everyone))
    weights = resolve(parts.loss_weights, heads, constant=constant, start=start)
    trained = frozenset(head for head, weight in weights.items() if weight > 0)

    keras.utils.set_random_seed(_python_seed(parts.seeds.method))
    model = WeighedModel(
        network,
        parts.weighting,
        parts.balance,
        seed=_python_seed(parts.seeds.method),
        diagnose_every=parts.recipe.diagnose_every,
    )
    model.compile(
        optimizer=parts.optimizer,
        loss={task.name: _loss_of(task) for task in tasks},
        loss_weights=weights,
        steps_per_execution=parts.recipe.steps_per_execution,
    )
    progress = fit(
        model,
        parts.recipe,
        Examples(train.inputs, {task.name: task.scale(train.targets[task.name]) for task in tasks}),
        judge("valid", trained),
        order_seed=parts.seeds.order or 0,
        folder=folder,
        checkpoint_seconds=checkpoint_seconds,
        report=report,
    )
    is_finished = progress.best_epoch >= 0 and not progress.has_diverged
    best = progress.history[progress.best_epoch] if is_finished else {}
    facts = {
        "loss_weights": weights,
        "epochs": progress.next_epoch,
        "best_epoch": progress.best_epoch,
        "best": {name: best[f"valid/{name}"] for name in _measured(best)},
        "test": judge("test", trained).measure(network) if is_finished else {},
        "start": start,
        "constant": constant,
        "constant_valid": {
            task.name: judge("valid", everyone).constant_loss(task) for task in tasks
        },
        "n_parameters": network.count_params(),
        "n_shared_parameters": n_shared_parameters(network, heads),
        "alarms": alarms(
            progress.history, sorted(trained, key=heads.index), moves=parts.weighting.moves
        ),
        "data": {split: describe(tasks, splits[split], train) for split in SPLITS},
        "data_digest": digest(splits),
    }
    status = "finished" if is_finished else "diverged"
    return Outcome(network, status, progress.history, facts)


def _measured(row: Mapping[str, float]) -> list[str]:
    return [name.removeprefix("valid/") for name in row if name.startswith("valid/")]


def _python_seed(seed: int | None) -> int:
    return (seed or 0) % 2**31


def _loss_of(task: Task) -> Any:
    is_scaled = task.loss_scale != 1
    return ScaledLoss(task.keras_loss, task.loss_scale) if is_scaled else task.keras_loss


def _check_labels(tasks: tuple[Task, ...], train: Examples) -> None:
    for task in tasks:
        if task.is_missing(train.targets[task.name]).all():
            raise ValueError(f"`{task.name}` must have a label in some training row, got none.")


def _start_losses(network: keras.Model, judge: Judge) -> dict[str, float]:
    """Returns the loss of each head before the first step, on examples from all over train."""
    n_examples = len(next(iter(judge.examples.targets.values())))
    # A file may be sorted by task or by time: its first rows alone may lack a head's labels.
    places = np.linspace(0, n_examples - 1, min(N_START, n_examples)).astype(int)
    inputs, targets = (
        {name: array[places] for name, array in arrays.items()} for arrays in judge.examples
    )
    few = Judge(
        tasks=judge.tasks,
        examples=Examples(inputs, targets),
        train_targets=judge.train_targets,
        trained=judge.trained,
        batch_size=judge.batch_size,
    )
    values = few.measure(network)
    return {task.name: values[f"{task.name}/loss"] for task in judge.tasks}
