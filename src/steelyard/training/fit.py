"""Fitting: epochs, what is measured after each, when to stop, and which epoch was the best."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from steelyard.data.order import order_of
from steelyard.data.source import Examples
from steelyard.training import checkpoint
from steelyard.training.company import Company
from steelyard.training.course import Course
from steelyard.training.judge import Judge
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

    def is_over(self, recipe: Recipe) -> bool:
        """Whether there is nothing left to train."""
        n_worse = self.next_epoch - 1 - self.best_epoch
        is_patient = not recipe.patience or n_worse < recipe.patience
        return self.has_diverged or self.next_epoch >= recipe.epochs or not is_patient

    def see(self, values: dict[str, float]) -> bool:
        """Counts an epoch with these values, and returns whether it is the best so far."""
        epoch, score = self.next_epoch, values["valid/score"]
        self.history.append({"epoch": float(epoch), **values})
        self.next_epoch = epoch + 1
        self.has_diverged = not (np.isfinite(score) and np.isfinite(values["train/loss"]))
        if not score < self.best_score:
            return False
        self.best_score, self.best_epoch = score, epoch
        return True


def fit(
    model: WeighedModel,
    course: Course,
    recipe: Recipe,
    train: Examples,
    judge: Judge,
    *,
    order_seed: int,
    folder: Path,
    checkpoint_seconds: float,
    report: Report,
    company: Company,
) -> Progress:
    """Trains a compiled model, from its checkpoint if it has one, and leaves it at its best epoch.

    Args:
        model: The model, compiled.
        course: How models of its make are trained.
        recipe: How long, and in what portions.
        train: The training examples, with targets as the heads are trained on them.
        judge: Measures on validation.
        order_seed: Of the order of examples; each epoch's depends on it and on the epoch alone.
        folder: Where the checkpoint is.
        checkpoint_seconds: The least time between two checkpoints.
        report: Told of each epoch as it ends; told again of those before the checkpoint.
        company: With whom the steps are taken.
    """
    n_examples = len(next(iter(train.targets.values())))
    recipe.apply_schedule(model.optimizer, -(-n_examples // recipe.batch_size))
    model.optimizer.build(model.trainable_variables)
    progress, best = Progress(), list[np.ndarray]()
    restored = checkpoint.load(folder, model)
    if restored:
        best, kept = restored
        progress = Progress(**kept)
        for row in progress.history:
            report(int(row["epoch"]), {name: row[name] for name in row if name != "epoch"})

    def keep() -> None:
        checkpoint.save(folder, model, best, vars(progress))

    last = time.monotonic()
    while not progress.is_over(recipe):
        epoch = progress.next_epoch
        order = order_of(n_examples, order_seed, epoch)
        company.train(course, model, train.inputs, train.targets, order, recipe.batch_size)
        values = _values(model, judge.measure(partial(course.outputs, model.network)))
        values |= _training_rates(model.heads, progress.history, values)
        if progress.see(values):
            best = model.network.get_weights()
        try:
            report(epoch, values)
        except KeyboardInterrupt:
            keep()
            raise
        now = time.monotonic()
        if progress.is_over(recipe) or now - last >= checkpoint_seconds:
            keep()
            last = now
    company.leave()  # the others need not wait for what comes now
    if best:
        model.network.set_weights(best)
    return progress


def _values(model: WeighedModel, valid: Mapping[str, float]) -> dict[str, float]:
    """Returns what an epoch showed: in training, of the gradients, and on validation."""
    told = model.means.told()
    values = {_name_of(key, model.heads): value for key, value in told.items()}
    values |= {f"train/{name}": each for name, each in model.diagnosis.told().items()}
    values |= _shares_of_loss(values, model.heads)
    values |= {f"valid/{name}": value for name, value in valid.items()}
    weights = model.loss_weights.as_dict()
    losses = {head: valid[f"{head}/loss"] for head in weights}
    values["valid/loss"] = sum(weight * losses[head] for head, weight in weights.items() if weight)
    return values


def _training_rates(
    heads: tuple[str, ...], history: list[dict[str, float]], values: Mapping[str, float]
) -> dict[str, float]:
    """Returns each head's mean loss over that of the first epoch: how far it has come down."""
    first = history[0] if history else values
    found = {}
    for head in heads:
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
