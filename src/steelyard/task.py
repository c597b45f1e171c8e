"""What a head of a network is asked: its name, the kind of its answer, and how it is scored."""

import re
from dataclasses import dataclass, replace

import numpy as np

from steelyard.arrays import Array

LOSSES = {  # by kind; the first is the default
    "regression": ("mse", "mae", "huber"),
    "binary": ("binary_crossentropy",),
    "multiclass": ("sparse_categorical_crossentropy", "categorical_crossentropy"),
    "multilabel": ("binary_crossentropy",),
    "box": ("mse", "binary_crossentropy"),
}
MEASURES = {  # by kind: what a head is judged by, and whether more is better
    "regression": {"mae": False, "rmse": False, "r2": True},
    "binary": {"auc": True, "accuracy": True, "log_loss": False},
    "multiclass": {"accuracy": True, "macro_f1": True, "log_loss": False},
    "multilabel": {"auc": True, "accuracy": True, "log_loss": False},
    "box": {"r2": True, "mae": False, "iou": True},
}
HEADLINE = {
    "regression": "r2",
    "binary": "auc",
    "multiclass": "accuracy",
    "multilabel": "auc",
    "box": "r2",
}
CORNERS = ("x1", "y1", "x2", "y2")  # of a box, as shares of the image's width and height
NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]+")  # what Keras and MLflow both take
NO_CLASS = -1  # the label of an example whose class is not known
ROUNDING = 1e-9  # a spread below this share of the numbers' size is none
HUBER_DELTA = 1.0  # of Keras: the error at which its Huber loss becomes a straight line
HALVINGS = 60  # of the targets' range, which leave less of it than float64 can tell apart


@dataclass(frozen=True, kw_only=True)
class Task:
    """One head: its name, kind, loss and unit.

    Targets are [N] for `regression`, `binary` and `multiclass` (class numbers), and [N, width] for
    `multilabel` (0 or 1 a label) and `box` (x1, y1, x2, y2 in [0, 1]). A missing label is NaN, or
    -1 for classes, and masks the task for that example.

    Attributes:
        name: The head's name, in outputs, metrics and loss weights.
        kind: `regression`, `binary`, `multiclass`, `multilabel` or `box`.
        loss: A Keras loss that fits the kind; empty for the kind's default.
        classes: The names of the classes, for `multiclass`, `binary` and `multilabel`.
        unit: What a regression target is measured in.
        standardize: Trains on (y - center) / spread; metrics stay in the target's own unit.
        center: Mean of the training targets, where standardized.
        spread: Standard deviation of the training targets, where standardized.
        loss_scale: Multiplies the head's loss, as a change of its unit would.
    """

    name: str
    kind: str = "regression"
    loss: str = ""
    classes: tuple[str, ...] = ()
    unit: str = ""
    standardize: bool = False
    center: float = 0.0
    spread: float = 1.0
    loss_scale: float = 1.0

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(
                f"`{self.name}` must be a name of letters from a to z, digits and any of _ . - for "
                f"a head, got {self.name!r}."
            )
        check_kind(self.name, self.kind, self.loss)

    @property
    def keras_loss(self) -> str:
        """The name of the loss, as Keras knows it."""
        return self.loss or LOSSES[self.kind][0]

    @property
    def width(self) -> int:
        """How many numbers the head puts out."""
        if self.kind == "box":
            return len(CORNERS)
        return len(self.classes) if self.kind in {"multiclass", "multilabel"} else 1

    def is_missing(self, targets: Array) -> Array:
        """Returns which of the targets [N, ...] bear no label: [N]."""
        if self.kind == "multiclass":
            return targets == NO_CLASS
        return np.isnan(targets).reshape(len(targets), -1).any(axis=1)

    def fitted(self, targets: Array) -> "Task":
        """Returns the task with the center and spread of its training targets [N]."""
        if not self.standardize:
            return self
        center, spread = center_and_spread(targets[~self.is_missing(targets)])
        return replace(self, center=center, spread=spread)

    def scale(self, targets: Array) -> Array:
        """Returns targets as the head is trained on them: [N], or [N, width]."""
        if self.keras_loss == "categorical_crossentropy":
            one_hot = np.eye(self.width, dtype="float32")[targets]
            return np.where(self.is_missing(targets)[:, None], np.float32("nan"), one_hot)
        return ((targets - self.center) / self.spread) if self.standardize else targets

    def unscale(self, outputs: Array) -> Array:
        """Returns a head's outputs [N, width] in the target's own unit."""
        return (outputs * self.spread + self.center) if self.standardize else outputs

    def best_constant(self, targets: Array) -> Array:
        """Returns the outputs [width] of the best constant predictor of targets [N] that are known.

        Class shares; the mean of what is trained on, or for an absolute error its median, or for
        Huber's loss the place where as much pulls up as down.
        """
        if self.kind == "multiclass":
            counts = np.bincount(targets.astype(int), minlength=self.width)
            return counts / counts.sum()
        scaled = self.scale(targets.astype("float64"))
        if self.keras_loss == "mae":
            best = np.median(scaled, axis=0)
        else:
            best = _least_huber(scaled) if self.keras_loss == "huber" else scaled.mean(axis=0)
        return np.reshape(best, self.width)


def check_kind(name: str, kind: str, loss: str) -> None:
    """Refuses a head of a kind that there is not, or of a loss that does not fit its kind.

    Raises:
        ValueError: It is one.
    """
    if kind not in LOSSES:
        raise ValueError(f"`{name}.kind` must be one of {', '.join(LOSSES)}, got {kind!r}.")
    if loss and loss not in LOSSES[kind]:
        fitting = ", ".join(LOSSES[kind])
        raise ValueError(f"`{name}.loss` must be one of {fitting} for a {kind} head, got {loss!r}.")


def _least_huber(targets: Array) -> Array:
    """Returns the constant of least Huber loss on targets [N].

    The loss is convex, so halving finds where its slope turns from negative to positive.
    """
    low, high = targets.min(), targets.max()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        slope = np.clip(middle - targets, -HUBER_DELTA, HUBER_DELTA).sum()
        low, high = (low, middle) if slope > 0 else (middle, high)
    return (low + high) / 2


def center_and_spread(values: Array) -> tuple[float, float]:
    """Returns the mean of numbers [N] and their standard deviation; 1 where they do not differ."""
    known = np.asarray(values, dtype="float64")
    if not len(known):
        return 0.0, 1.0
    center, spread = float(known.mean()), float(known.std())
    return center, spread if spread > ROUNDING * float(np.abs(known).max()) else 1.0
