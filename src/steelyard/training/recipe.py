"""How long a model is trained, and in what portions: knobs that are checked without Keras."""

from dataclasses import dataclass
from typing import Any

from steelyard.arrays import keras

SCHEDULES = ("constant", "cosine")
PRECISIONS = ("float32", "mixed_bfloat16")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long a model is trained, and in what portions.

    Attributes:
        epochs: Passes over the training examples, at most.
        batch_size: Examples a step.
        patience: Epochs without a better validation score after which to stop; 0 never stops.
        schedule: Of the learning rate: `constant`, or `cosine`, which lets it fall to zero along
            half a cosine over all epochs.
        precision: Of the network's arithmetic: `float32`, or `mixed_bfloat16`, which is faster
            where the processor has it, and keeps the variables in float32.
        by_rows: Whether an optimizer may leave alone the rows of an embedding that a batch does not
            touch, where that gives the same numbers.
        diagnose_every: Steps between two measurements of the heads' gradients in a run whose
            weighting takes none; 0 makes none. The numbers of the training do not depend on it.
    """

    epochs: int = 10
    batch_size: int = 64
    patience: int = 0
    schedule: str = "constant"
    precision: str = "float32"
    by_rows: bool = True
    diagnose_every: int = 50

    def __post_init__(self) -> None:
        for knob, least in (
            ("epochs", 1),
            ("batch_size", 1),
            ("patience", 0),
            ("diagnose_every", 0),
        ):
            if getattr(self, knob) < least:
                raise ValueError(f"`{knob}` must be at least {least}, got {getattr(self, knob)}.")
        for knob, choices in (("schedule", SCHEDULES), ("precision", PRECISIONS)):
            if getattr(self, knob) not in choices:
                raise ValueError(
                    f"`{knob}` must be one of {', '.join(choices)}, got {getattr(self, knob)!r}."
                )

    def apply_schedule(self, optimizer: Any, n_steps: int) -> None:
        """Sets the schedule of an optimizer that will take `n_steps` steps an epoch."""
        if self.schedule == "cosine":
            rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
            decay = keras.optimizers.schedules.CosineDecay(rate, n_steps * self.epochs)
            optimizer.learning_rate = decay
