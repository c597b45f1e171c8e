"""From a source and a network's plan to a trained, tested model: what decides a run's numbers."""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from steelyard.data.source import SPLITS, Examples, Source, Split
from steelyard.models.network import Network
from steelyard.task import Task
from steelyard.training.alarms import alarms
from steelyard.training.balance import Balance
from steelyard.training.company import Company
from steelyard.training.course import Course, course_of
from steelyard.training.describe import describe, digest
from steelyard.training.fit import Progress, Report, fit
from steelyard.training.heads import ScaledLoss
from steelyard.training.judge import Judge, Predict
from steelyard.training.loss_weights import resolve
from steelyard.training.recipe import Recipe
from steelyard.training.row_optimizers import exact_by_rows
from steelyard.training.runtime import Seeds
from steelyard.training.sharing import n_shared_parameters
from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Weighting

N_START = 2048  # training examples on which the losses at the start are measured
_building = threading.Lock()


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


def carry_out(
    parts: Parts, folder: Path, checkpoint_seconds: float, report: Report, company: Company
) -> Outcome:
    """Trains and tests what the parts describe.

    Args:
        parts: What the run is made of.
        folder: Where its checkpoint is.
        checkpoint_seconds: The least time between two checkpoints.
        report: Told of each epoch.
        company: The runs beside this one.
    """
    with _building:  # seeds are the process's own, and runs may train beside each other
        ready = prepare(parts)
    train = ready.judges["train"].examples
    targets = {task.name: task.scale(train.targets[task.name]) for task in parts.source.tasks}
    progress = fit(
        ready.model,
        ready.course,
        parts.recipe,
        Examples(train.inputs, targets),
        ready.judges["valid"],
        order_seed=parts.seeds.order or 0,
        folder=folder,
        checkpoint_seconds=checkpoint_seconds,
        report=report,
        company=company,
    )
    is_finished = progress.best_epoch >= 0 and not progress.has_diverged
    status = "finished" if is_finished else "diverged"
    facts = _facts(parts, ready, progress, is_finished=is_finished)
    return Outcome(ready.model.network, status, progress.history, facts)


class Ready(NamedTuple):
    """What a run is about to train."""

    model: WeighedModel
    course: Course
    judges: Mapping[Split, Judge]
    start: dict[str, float]  # each head's loss before the first step


def prepare(parts: Parts) -> Ready:
    """Returns the model, compiled, and those who judge it."""
    tasks, splits = parts.source.tasks, parts.source.splits
    _check_labels(tasks, splits["train"])
    course = course_of(_make_of(parts))
    # Keras draws the seeds of its layers from here. Its own function seeds TensorFlow too, which
    # then forgets how to run what it has traced.
    random.seed(_python_seed(parts.seeds.weights))
    network = _built(parts)

    heads = [task.name for task in tasks]
    everyone = _judges(parts, frozenset(heads))
    start = _start_losses(everyone["train"], partial(course.outputs, network))
    constant = everyone["train"].constant_losses
    weights = resolve(parts.loss_weights, heads, constant=constant, start=start)

    model = WeighedModel(
        network,
        parts.weighting,
        parts.balance,
        seed=_python_seed(parts.seeds.method),
        diagnose_every=parts.recipe.diagnose_every,
    )
    optimizer = parts.optimizer
    has_rows = any(isinstance(each, keras.layers.Embedding) for each in network.layers)
    by_rows = parts.recipe.by_rows and has_rows
    model.compile(
        optimizer=exact_by_rows(optimizer) if by_rows else optimizer,
        loss={task.name: _loss_of(task) for task in tasks},
        loss_weights=weights,
    )
    trained = frozenset(head for head, weight in weights.items() if weight > 0)
    return Ready(model, course, _judges(parts, trained), start)


def _make_of(parts: Parts) -> str:
    """Returns all that a step depends on, but for the values of variables."""
    optimizer, source = parts.optimizer, parts.source
    # Targets are scaled beforehand: what they are scaled by is no part of a step.
    tasks = tuple(replace(task, center=0.0, spread=1.0) for task in source.tasks)
    n_examples = len(next(iter(source.splits["train"].targets.values())))
    knobs = {**optimizer.get_config(), "name": ""}  # Keras counts its optimizers in their names
    built = (source.inputs, tasks, parts.network, parts.weighting, parts.balance)
    return repr((*built, type(optimizer), knobs, parts.recipe, n_examples))


def _built(parts: Parts) -> keras.Model:
    """Returns the network, in the precision that it is to be trained with."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(parts.recipe.precision)
    try:
        return parts.network.build(parts.source.inputs, parts.source.tasks)
    finally:
        keras.config.set_dtype_policy(before)


def _judges(parts: Parts, trained: frozenset[str]) -> dict[Split, Judge]:
    splits = parts.source.splits
    return {
        split: Judge(
            tasks=parts.source.tasks,
            examples=splits[split],
            train_targets=splits["train"].targets,
            trained=trained,
        )
        for split in SPLITS
    }


def _facts(parts: Parts, ready: Ready, progress: Progress, *, is_finished: bool) -> dict[str, Any]:
    """Returns what a record says of a run beside its course."""
    tasks, splits, network = parts.source.tasks, parts.source.splits, ready.model.network
    heads, trained = [task.name for task in tasks], ready.judges["test"].trained
    best = progress.history[progress.best_epoch] if is_finished else {}
    predict = partial(ready.course.outputs, network)
    return {
        "loss_weights": ready.model.loss_weights.as_dict(),
        "epochs": progress.next_epoch,
        "best_epoch": progress.best_epoch,
        "best": {name: best[f"valid/{name}"] for name in _measured(best)},
        "test": ready.judges["test"].measure(predict) if is_finished else {},
        "start": ready.start,
        "constant": ready.judges["train"].constant_losses,
        "constant_valid": ready.judges["valid"].constant_losses,
        "n_parameters": network.count_params(),
        "n_shared_parameters": n_shared_parameters(network, heads),
        "alarms": alarms(
            progress.history, sorted(trained, key=heads.index), moves=parts.weighting.moves
        ),
        "data": {split: describe(tasks, splits[split], splits["train"]) for split in SPLITS},
        "data_digest": digest(splits),
    }


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


def _start_losses(judge: Judge, predict: Predict) -> dict[str, float]:
    """Returns the loss of each head before the first step, on examples from all over train."""
    n_examples = len(next(iter(judge.examples.targets.values())))
    # A file may be sorted by task or by time: its first rows alone may lack a head's labels.
    places = np.linspace(0, n_examples - 1, min(N_START, n_examples)).astype(int)
    inputs, targets = (
        {name: array[places] for name, array in arrays.items()} for arrays in judge.examples
    )
    values = replace(judge, examples=Examples(inputs, targets)).measure(predict)
    return {task.name: values[f"{task.name}/loss"] for task in judge.tasks}
