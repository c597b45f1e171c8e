"""What a run's record tells of each of its heads, in numbers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steelyard.analysis.explaining.epochs import Row, column, finite, mean
from steelyard.task import HEADLINE

SERVED = (
    0.99  # of the loss of the best constant: closer to it is chance, in a few thousand examples
)
WORSE = 0.05  # of a loss: more than it wobbles from epoch to epoch in a run that goes well


@dataclass(frozen=True, kw_only=True)
class Head:
    """A head that was trained; None stands for what the record does not tell.

    Attributes:
        name: The head.
        kind: Of its task.
        loss: Its loss, where it is not the default of its kind.
        is_standardized: Whether its targets were, for a regression.
        start: Its loss before the first step.
        start_share: Its part of the sum of losses before the first step, by the loss weights.
        constant: The loss of its best constant on train: of a squared error, the variance.
        norms: The length of its gradient on the shared layers, epoch by epoch.
        shares: Its share of the heads' weighted gradients, epoch by epoch.
        loss_shares: Its share of the weighted losses, epoch by epoch.
        weights: The weight that it really had, epoch by epoch.
        train: Its loss in training, epoch by epoch.
        ratios: Its validation loss over that of its best constant, epoch by epoch.
        kept: That ratio in the epoch that was kept.
        has_valid_constant: Whether the constant is judged on validation; else on train.
        measure: The measure that stands for it.
        test: That measure on the test.
    """

    name: str
    kind: str | None
    loss: str
    is_standardized: bool | None
    start: float | None
    start_share: float | None
    constant: float | None
    norms: list[float]
    shares: list[float]
    loss_shares: list[float]
    weights: list[float]
    train: list[float]
    ratios: list[float]
    kept: float | None
    has_valid_constant: bool
    measure: str | None
    test: float | None

    @property
    def weight(self) -> float | None:
        """The mean over the epochs of the weight that it really had."""
        return mean(self.weights)

    @property
    def share(self) -> float | None:
        """The mean over the epochs of its share of the gradient."""
        return mean(self.shares)

    @property
    def fell_to(self) -> float | None:
        """Its training loss in the last epoch over that before the first step."""
        known = finite(self.train)
        return known[-1] / self.start if known and self.start else None

    @property
    def still_falls(self) -> float:
        """By how much its training loss fell in the last epoch, as a part of it."""
        last = finite(self.train)[-2:]
        return 1 - last[1] / last[0] if len(last) > 1 and last[0] > 0 else 0.0

    @property
    def is_served(self) -> bool | None:
        """Whether it is clearly better than its best constant."""
        return None if self.kept is None else self.kept < SERVED

    @property
    def was_served(self) -> bool:
        """Whether it was in some epoch."""
        return any(ratio < SERVED for ratio in self.ratios)

    @property
    def best_epoch(self) -> int | None:
        """The epoch, counted from 1, in which it was best on validation."""
        known = finite(self.ratios)
        return 1 + self.ratios.index(min(known)) if known else None

    @property
    def worse_after(self) -> float | None:
        """By how much its validation loss was above its best in the last epoch, as a part of it."""
        known = finite(self.ratios)
        return known[-1] / min(known) - 1 if known and min(known) > 0 else None

    @property
    def has_overfitted(self) -> bool:
        """Whether its validation loss rose after its best while its training loss went on down."""
        if self.best_epoch is None or len(self.train) < self.best_epoch:
            return False
        return (self.worse_after or 0) > WORSE and self.train[-1] < self.train[self.best_epoch - 1]


def heads_of(
    record: Mapping[str, Any], history: Sequence[Row], tasks: Iterable[Mapping[str, Any]]
) -> list[Head]:
    """Returns the heads that were trained, in the order of the data where that is known.

    Args:
        record: Of the run.
        history: Its epochs.
        tasks: Its heads' tasks, as `fitted.json` keeps them; may be empty.
    """
    loss_weights = record.get("loss_weights") or {}
    told = {str(task["name"]): task for task in tasks}
    names = [name for name in (told or loss_weights) if loss_weights.get(name, 0) > 0]
    start = record.get("start") or {}
    parts = {name: loss_weights[name] * _number(start.get(name), math.nan) for name in names}
    total = sum(parts.values())
    return [
        _head(record, history, name, told.get(name, {}), _share(parts[name], total))
        for name in names
    ]


def _head(
    record: Mapping[str, Any],
    history: Sequence[Row],
    name: str,
    task: Mapping[str, Any],
    start_share: float | None,
) -> Head:
    constants = record.get("constant_valid") or record.get("constant") or {}
    constant = _number(constants.get(name), math.nan)
    constant = constant if constant > 0 else math.nan  # one that is always right is no measure
    ratios = [each / constant for each in column(history, f"valid/{name}/loss")]
    kept = _number((record.get("best") or {}).get(f"{name}/loss"), math.nan) / constant
    kind = task.get("kind") or _kind(record.get("test") or record.get("best") or {}, name)
    measure = HEADLINE.get(str(kind))
    return Head(
        name=name,
        kind=kind,
        loss=str(task.get("loss", "")),
        is_standardized=task.get("standardize"),
        start=_known((record.get("start") or {}).get(name)),
        start_share=start_share,
        constant=_known((record.get("constant") or {}).get(name)),
        norms=column(history, f"train/{name}/gradient_norm"),
        shares=column(history, f"train/{name}/gradient_share"),
        loss_shares=_loss_shares(record, history, name),
        weights=column(history, f"train/{name}/weight"),
        train=column(history, f"train/{name}/loss"),
        ratios=[] if math.isnan(constant) else ratios,
        kept=_known(kept),
        has_valid_constant=bool(record.get("constant_valid")),
        measure=measure,
        test=_known((record.get("test") or {}).get(f"{name}/{measure}")),
    )


def _loss_shares(record: Mapping[str, Any], history: Sequence[Row], name: str) -> list[float]:
    """Returns a head's share of the weighted losses, which older records leave to be divided."""
    told = column(history, f"train/{name}/loss_share")
    if told:
        return told
    heads = [head for head, weight in (record.get("loss_weights") or {}).items() if weight > 0]
    found = []
    for row in history:
        parts = {
            head: row.get(f"train/{head}/loss", math.nan) * row.get(f"train/{head}/weight", 1.0)
            for head in heads
        }
        found.append(_share(parts[name], sum(parts.values())))
    return [share for share in found if share is not None]


def _kind(measures: Mapping[str, Any], name: str) -> str | None:
    """Returns the kind of a head by what it is measured by; a label and several look alike."""
    for measure, kind in (
        ("iou", "box"),
        ("r2", "regression"),
        ("macro_f1", "multiclass"),
        ("auc", "binary"),
    ):
        if f"{name}/{measure}" in measures:
            return kind
    return None


def _share(part: float, total: float) -> float | None:
    return part / total if total > 0 and math.isfinite(part / total) else None


def _number(value: Any, missing: float) -> float:
    return missing if value is None else float(value)


def _known(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
