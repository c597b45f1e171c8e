"""What a head of a network is asked: its name, the kind of its answer, and how it is scored."""

import re
from dataclasses import dataclass, replace

import numpy as np

from steelyard.arrays import Array

LOSSES = {  # by kind; the first is the default
    "regression": ("mse", "mae", "huber"),
    "binary": ("binary_crossentropy",),
    "multiclass": ("sparse_categorical_crossentropy",),
}
MEASURES = {  # by kind: what a head is judged by, and whether more is better
    "regression": {"mae": False, "rmse": False, "r2": True},
    "binary": {"auc": True, "accuracy": True, "log_loss": False},
    "multiclass": {"accuracy": True, "macro_f1": True, "log_loss": False},
}
HEADLINE = {"regression": "r2", "binary": "auc", "multiclass": "accuracy"}
NAME = re.compile(r"[\w .-]+")  # what Keras and MLflow both take
NO_CLASS = -1  # the label of an example whose class is not known


@dataclass(frozen=True, kw_only=True)
class Task:
    """One head: its name, kind, loss and unit.

    A missing label is NaN, or -1 for classes, and masks the task for that example.

    Attributes:
        name: The head's name, in outputs, metrics and loss weights.
        kind: `regression`, `binary` or `multiclass`.
        loss: A Keras loss that fits the kind; empty for the kind's default.
        classes: The names of the classes, for `multiclass` and `binary`.
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
                f"`{self.name}` must be a name of letters, digits, spaces and any of _ . - for a "
                f"head, got {self.name!r}."
            )
        if self.kind not in LOSSES:
            kinds = ", ".join(LOSSES)
            raise ValueError(f"`{self.name}.kind` must be one of {kinds}, got {self.kind!r}.")
        if self.loss and self.loss not in LOSSES[self.kind]:
            fitting = ", ".join(LOSSES[self.kind])
            raise ValueError(
                f"`{self.name}.loss` must be one of {fitting} for a {self.kind} head, "
                f"got {self.loss!r}."
            )

    @property
    def keras_loss(self) -> str:
        """The name of the loss, as Keras knows it."""
        return self.loss or LOSSES[self.kind][0]

    @property
    def width(self) -> int:
        """How many numbers the head puts out."""
        return len(self.classes) if self.kind == "multiclass" else 1

    def is_missing(self, targets: Array) -> Array:
        """Returns which of the targets [N] bear no label."""
        if self.kind == "multiclass":
            return targets == NO_CLASS
        return np.isnan(targets)

    def fitted(self, targets: Array) -> "Task":
        """Returns the task with the center and spread of its training targets [N]."""
        if not self.standardize:
            return self
        known = targets[~self.is_missing(targets)].astype("float64")
        return replace(self, center=float(known.mean()), spread=float(known.std()) or 1.0)

    def scale(self, targets: Array) -> Array:
        """Returns targets [N] as the head is trained on them."""
        return ((targets - self.center) / self.spread) if self.standardize else targets

    def unscale(self, outputs: Array) -> Array:
        """Returns a head's outputs [N, width] in the target's own unit."""
        return (outputs * self.spread + self.center) if self.standardize else outputs
