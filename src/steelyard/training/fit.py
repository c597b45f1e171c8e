"""Fitting: epochs, what is measured after each, when to stop, and which epoch was the best."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from steelyard.data.batches import Batches
from steelyard.data.source import Examples
from steelyard.task import Task
from steelyard.training import checkpoint
from steelyard.training.heads import errors
from steelyard.training.measure import constant_outputs, measure
from steelyard.training.recipe import Recipe
from steelyard.training.weighed_model import WeighedModel

Report = Callable[[int, dict[str, float]], None]  # (epoch, values by name)


@dataclass(kw_only=True)
class Progress:
    """How far a fit has come: what a checkpoint keeps beside the variables."""

    next_epoch: int = 0
    best_epoch: int = -1
    best_score: float = float("inf")
    has_diverged: bool = False
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Measures a network's heads on a split, each in units of its best constant predictor.

    A head's score is its loss over that of the best constant fitted on train: 1 is no better than
    the constant, and units cancel. The score of the network is the mean over the heads that train.
    """

    tasks: tuple[Task, ...]
    examples: Examples
    train_targets: Mapping[str, np.ndarray]
    trained: frozenset[str]  # the heads whose loss weight is not zero
    batch_size: int

    def measure(self, network: keras.Model) -> dict[str, float]:
        """Returns `<head>/<measure>` for each head, and `score`."""
        outputs = network.predict(self.examples.inputs, batch_size=self.batch_size, verbose=0)
        return self.judge(outputs)

    def judge(self, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns the measures of outputs [N, width] by head."""
        values, scores = {}, []
        for task in self.tasks:
            targets, output = self.examples.targets[task.name], outputs[task.name]
            loss = mean_loss(task, targets, output)
            values[f"{task.name}/loss"] = loss
            for name, value in measure(task, targets, output).items():
                values[f"{task.name}/{name}"] = value
            if task.name in self.trained and not np.isnan(loss):
                scores.append(loss / self.constant_loss(task))
        values["score"] = float(np.mean(scores)) if scores else float("nan")
        return values

    def constant_loss(self, task: Task) -> float:
        """Returns the loss on this split of the best constant fitted on train."""
        targets = self.examples.targets[task.name]
        outputs = constant_outputs(task, self.train_targets[task.name], len(targets))
        return mean_loss(task, targets, outputs)


def mean_loss(task: Task, targets: np.ndarray, outputs: np.ndarray) -> float:
    """Returns a head's mean loss over the labelled examples; NaN where there are none."""
    known = ~task.is_missing(targets)
    if not known.any():
        return float("nan")
    scaled = task.scale(targets[known])
    scaled = scaled[:, None] if scaled.ndim == 1 else scaled
    each = keras.ops.convert_to_numpy(errors(task.keras_loss, scaled, outputs[known]))
    return float(task.loss_scale * np.mean(each.astype("float64")))


class Watch(keras.callbacks.Callback):
    """After each epoch: measures on validation, keeps the best weights, reports, checkpoints."""

    def __init__(
        self,
        *,
        judge: Judge,
        batches: Batches,
        progress: Progress,
        patience: int,
        report: Report,
        keep: Callable[[list[np.ndarray], Progress], None],
    ) -> None:
        super().__init__()
        self.judge, self.batches, self.progress = judge, batches, progress
        self.patience, self.report, self.keep = patience, report, keep
        self.best: list[np.ndarray] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.batches.shuffle(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        progress = self.progress
        valid = self.judge.measure(self.model.network)
        values = {_name_of(key, self.model.heads): float(value) for key, value in logs.items()}
        values |= {f"train/{name}": each for name, each in self.model.diagnosis.told().items()}
        values |= _shares_of_loss(values, self.model.heads)
        values |= self._training_rates(values)
        values |= {f"valid/{name}": value for name, value in valid.items()}
        weights = self.model.loss_weights.as_dict()
        losses = {head: valid[f"{head}/loss"] for head in weights}
        values["valid/loss"] = sum(
            weight * losses[head] for head, weight in weights.items() if weight
        )
        progress.history.append({"epoch": float(epoch), **values})
        progress.next_epoch = epoch + 1
        if valid["score"] < progress.best_score:
            progress.best_score, progress.best_epoch = valid["score"], epoch
            self.best = self.model.network.get_weights()
        if not (np.isfinite(valid["score"]) and np.isfinite(values["train/loss"])):
            progress.has_diverged = True
            self.model.stop_training = True
        if self.patience and epoch - progress.best_epoch >= self.patience:
            self.model.stop_training = True
        self.report(epoch, values)
        self.keep(self.best, progress)

    def _training_rates(self, values: Mapping[str, float]) -> dict[str, float]:
        """Returns each head's mean loss over that of the first epoch: how far it has come down."""
        first = self.progress.history[0] if self.progress.history else values
        found = {}
        for head in self.model.heads:
            before, now = first[f"train/{head}/loss"], values[f"train/{head}/loss"]
            if before > 0:
                found[f"train/{head}/training_rate"] = now / before
        return found


def _shares_of_loss(values: Mapping[str, float], heads: tuple[str, ...]) -> dict[str, float]:
    """Returns each head's part of the weighted sum of losses, in an epoch."""
    parts = {head: values[f"train/{head}/weighted_loss"] for head in heads}
    total = sum(parts.values())
    if not total:
        return {}
    return {f"train/{head}/loss_share": part / total for head, part in parts.items()}


def _name_of(key: str, heads: tuple[str, ...]) -> str:
    """Returns the record's name of a log key: `age_loss` is `train/age/loss`."""
    for head in sorted(heads, key=len, reverse=True):  # `class_of_1` before `class`
        if key.startswith(f"{head}_"):
            return f"train/{head}/{key.removeprefix(f'{head}_')}"
    return f"train/{key}"


def fit(
    model: WeighedModel,
    recipe: Recipe,
    train: Examples,
    judge: Judge,
    *,
    order_seed: int,
    folder: Path,
    checkpoint_seconds: float,
    report: Report,
) -> Progress:
    """Trains a compiled model, from its checkpoint if it has one, and leaves it at its best epoch.

    Args:
        model: The model, compiled.
        recipe: How long, and in what portions.
        train: The training examples, with targets as the heads are trained on them.
        judge: Measures on validation.
        order_seed: Of the order of examples; each epoch's depends on it and on the epoch alone.
        folder: Where the checkpoint is.
        checkpoint_seconds: The least time between two checkpoints.
        report: Told of each epoch as it ends; told again of those before the checkpoint.
    """
    batches = Batches(train.inputs, train.targets, recipe.batch_size, order_seed)
    recipe.apply_schedule(model.optimizer, batches.n_steps)
    model.optimizer.build(model.trainable_variables)
    progress = Progress()
    best: list[np.ndarray] = []
    restored = checkpoint.load(folder, model)
    if restored:
        best, kept = restored
        progress = Progress(**kept)
        for row in progress.history:
            report(int(row["epoch"]), {name: row[name] for name in row if name != "epoch"})

    last = {"time": time.monotonic()}

    def keep(weights: list[np.ndarray], so_far: Progress) -> None:
        is_over = so_far.next_epoch >= recipe.epochs or model.stop_training
        if is_over or time.monotonic() - last["time"] >= checkpoint_seconds:
            checkpoint.save(folder, model, weights, vars(so_far))
            last["time"] = time.monotonic()

    watch = Watch(
        judge=judge,
        batches=batches,
        progress=progress,
        patience=recipe.patience,
        report=report,
        keep=keep,
    )
    watch.best = best
    is_over = progress.has_diverged or (
        recipe.patience and progress.next_epoch - 1 - progress.best_epoch >= recipe.patience
    )
    if progress.next_epoch < recipe.epochs and not is_over:
        model.fit(
            batches.dataset,
            epochs=recipe.epochs,
            initial_epoch=progress.next_epoch,
            callbacks=[watch],
            shuffle=False,  # the batches have an order of their own
            verbose=0,
        )
    if watch.best:
        model.network.set_weights(watch.best)
    return progress
