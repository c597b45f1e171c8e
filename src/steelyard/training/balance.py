"""How the training step asks a method, and what it does with the answer."""

from dataclasses import dataclass

from steelyard.arrays import Array, Named, Weights, ops
from steelyard.weighting.base import Signals, Weighting

CHOICES = {
    "rows": ("none", "l2", "ema_l2", "loss", "loss_l2"),
    "on": ("shared", "last_shared", "representation"),
    "heads": ("native", "own", "weighted"),
    "normalise": ("native", "sum_to_k", "match_norm"),
}
DECAY = 0.9  # of the mean lengths behind `ema_l2`
SHORTEST = 1e-6  # a sum that cancels down to less of its terms has no length to match


@dataclass(frozen=True, kw_only=True)
class Balance:
    """How a method is asked, and how its weights are applied.

    Attributes:
        rows: What each task's loss, and so its gradient, is divided by before the method sees it:
            `none`; `l2`, the gradient's length; `ema_l2`, that length's mean over steps, of decay
            0.9; `loss`, the loss itself; `loss_l2`, both. All but the last make any method free of
            units.
        on: Where the gradients that a method compares are taken: on all `shared` parameters, on
            those of the `last_shared` layer, or on the `representation`, the outputs of shared
            layers that private ones read. The last two save nearly all backward passes.
        heads: What a head's private layers are trained on by a method that takes gradients: `own`
            (the head's loss alone), `weighted` (times its weight), or `native`, which is own.
            Methods that take losses alone always weigh the private layers too.
        update_every: Steps between two askings of a method that takes gradients; the weights hold
            in between. Methods that take losses alone are asked in every step.
        normalise: `native`; `sum_to_k`: weights are scaled to sum to the number of active heads;
            `match_norm`: to a weighted gradient as long as that of the loss weights alone.
        memory_learning_rate: Of the Adam that trains what a weighting learns.
    """

    rows: str = "none"
    on: str = "shared"
    heads: str = "native"
    update_every: int = 1
    normalise: str = "native"
    memory_learning_rate: float = 0.025

    def __post_init__(self) -> None:
        for knob, choices in CHOICES.items():
            if getattr(self, knob) not in choices:
                raise ValueError(
                    f"`{knob}` must be one of {', '.join(choices)}, got {getattr(self, knob)!r}."
                )
        if self.update_every < 1:
            raise ValueError(f"`update_every` must be at least 1, got {self.update_every}.")
        if not self.memory_learning_rate > 0:
            raise ValueError(
                f"`memory_learning_rate` must be positive, got {self.memory_learning_rate}."
            )

    def check(self, weighting: Weighting) -> None:
        """Refuses what a method cannot be asked.

        Raises:
            ValueError: It works on coordinates, which are to be had in one way alone.
        """
        if not weighting.needs_coordinates:
            return
        plain = Balance()
        for knob in ("rows", "on", "update_every"):
            if getattr(self, knob) != getattr(plain, knob):
                raise ValueError(
                    f"`{knob}` must be {getattr(plain, knob)} for {type(weighting).__name__}, "
                    f"which works on coordinates, got {getattr(self, knob)}."
                )

    @property
    def needs_gramian(self) -> bool:
        """Whether gradients are compared, whatever the method asks for."""
        return self.rows in {"l2", "ema_l2", "loss_l2"} or self.normalise == "match_norm"

    def remember(self, n_tasks: int) -> Named:
        """Returns the memory to begin with."""
        if self.rows != "ema_l2":
            return {}
        return {"row_norms": ops.zeros(n_tasks), "row_counts": ops.zeros(n_tasks)}

    def scales(self, signals: Signals, memory: Named) -> tuple[Array, Named]:
        """Returns what each loss is multiplied by before the method sees it [K], and the memory."""
        losses, is_active = signals.losses, signals.is_active
        scales = ops.ones_like(losses)
        if "loss" in self.rows:
            scales = scales / _or_one(losses, losses > 0)
        if "l2" not in self.rows:
            return scales, {}
        norms = ops.cast(ops.sqrt(ops.diagonal(signals.gramian)), losses.dtype)
        if self.rows != "ema_l2":
            return scales / _or_one(norms, norms > 0), {}
        is_known = ops.logical_and(is_active, norms > 0)
        counts = memory["row_counts"] + ops.cast(is_known, losses.dtype)
        rate = (1 - DECAY) / (1 - ops.power(DECAY, ops.maximum(counts, 1.0)))
        before = memory["row_norms"]
        means = ops.where(is_known, before + rate * (norms - before), before)
        return scales / _or_one(means, means > 0), {"row_norms": means, "row_counts": counts}

    def scaled(self, weights: Weights, signals: Signals) -> Weights:
        """Returns the weights [K] of the active heads, normalised; the other heads weigh 0."""
        is_active = signals.is_active
        weights = ops.where(is_active, weights, 0.0)
        if self.normalise == "native":
            return weights
        if self.normalise == "sum_to_k":
            n_active = ops.sum(ops.cast(is_active, weights.dtype))
            total = ops.sum(weights)
            return weights * ops.where(total > 0, n_active / _or_one(total, total > 0), 1.0)
        theirs = _length(ops.where(is_active, signals.loss_weights, 0.0), signals.gramian)
        ours = _length(weights, signals.gramian)
        terms = ops.sum(ops.abs(ops.cast(weights, "float64")) * _norms(signals.gramian))
        has_length = ours > SHORTEST * terms
        factor = ops.where(has_length, theirs / _or_one(ours, has_length), 1.0)
        return weights * ops.cast(factor, weights.dtype)


def _or_one(values: Array, is_sound: Array) -> Array:
    return ops.where(is_sound, values, ops.ones_like(values))


def _norms(gramian: Array) -> Array:
    return ops.sqrt(ops.diagonal(gramian))


def _length(weights: Weights, gramian: Array) -> Array:
    """Returns the length of the weighted gradient, in float64."""
    weights = ops.cast(weights, "float64")
    square = ops.sum(weights * ops.matmul(gramian, weights[:, None])[:, 0])
    return ops.sqrt(ops.maximum(square, 0.0))
