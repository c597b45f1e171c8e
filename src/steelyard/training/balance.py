"""How the training step asks a method, and what it does with the answer."""

from dataclasses import dataclass

from steelyard.arrays import Array, Weights, ops

HEADS = ("native", "own", "weighted")
SCALES = ("native", "sum_to_k")


@dataclass(frozen=True, kw_only=True)
class Balance:
    """How weights are applied.

    Attributes:
        heads: What a head's private layers are trained on by a method that takes gradients: `own`
            (the head's loss alone), `weighted` (times its weight), or `native`, which is own.
            Methods that take losses alone always weigh the private layers too.
        normalise: `native`, or `sum_to_k`: weights are scaled to sum to the number of active heads.
        memory_learning_rate: Of the Adam that trains what a weighting learns.
    """

    heads: str = "native"
    normalise: str = "native"
    memory_learning_rate: float = 0.025

    def __post_init__(self) -> None:
        for knob, choices in (("heads", HEADS), ("normalise", SCALES)):
            if getattr(self, knob) not in choices:
                raise ValueError(
                    f"`{knob}` must be one of {', '.join(choices)}, got {getattr(self, knob)!r}."
                )

        if not self.memory_learning_rate > 0:
            raise ValueError(
                f"`memory_learning_rate` must be positive, got {self.memory_learning_rate}."
            )

    def scaled(self, weights: Weights, is_active: Array) -> Weights:
        """Returns the weights [K] of the active heads, normalised; the other heads weigh 0."""
        weights = ops.where(is_active, weights, 0.0)
        if self.normalise == "native":
            return weights
        n_active = ops.sum(ops.cast(is_active, weights.dtype))
        total = ops.sum(weights)
        return ops.where(total > 0, weights * n_active / ops.where(total > 0, total, 1.0), weights)
