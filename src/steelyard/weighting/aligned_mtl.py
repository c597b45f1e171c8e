"""Aligned-MTL: the gradients, turned as little as makes them orthogonal and equally long."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._jacobi import eigen
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting

SCALES = ("min", "median", "rmse")
RANK = 1e-6  # a direction less than that of the largest is rounding of float32


@dataclass(frozen=True, kw_only=True)
class AlignedMTL(Weighting):
    """Aligns the principal components of the gradients, so that none dominates or conflicts.

        w = sqrt(s) V L^(-1/2) V^T p,    G = V L V^T

    where G[j, k] = g_j . g_k, with g_k the gradient of task k on the shared parameters, L its
    eigenvalues that are not zero, V their eigenvectors, and p_k the task's loss weight over the sum
    of all (Algorithm 1). The vectors sum_k w_k g_k for p = e_1, e_2, ... are the orthogonal system
    of one length, sqrt(s), that lies nearest to the gradients; s is `scale` of the eigenvalues.
    Longer rows shape the system more than shorter ones: the rule sees units, and conflicts with a
    task whose gradient is small enough.

    At K = 1 the weight is 1. A zero row weighs 0 and has no p. Dependent rows leave fewer
    eigenvalues, as many as the directions of the gradients are independent.

    Departs from the paper: p sums to one, as in the paper; its code, and others', take p = 1 for
    each task, whose weights are K times these. The rank is that of the rows' directions, not of G,
    in which a row 1e-8 as long as another passes for zero.

    Attributes:
        scale: s: the `min` of the eigenvalues (the paper's), their lower `median`, or their mean
            (`rmse`: the root of it is that of the mean squared singular value).
    """

    scale: str = "min"

    paper: ClassVar[str] = "senushkin2023independent"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"`scale` must be one of {', '.join(SCALES)}, got {self.scale!r}.")

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        shares = ops.where(rows.is_present, ops.cast(signals.loss_weights, "float64"), 0.0)
        total = ops.sum(shares)
        shares = shares / ops.where(total > 0, total, 1.0)

        values, vectors = eigen(rows.cosines * rows.norms[:, None] * rows.norms[None, :])
        order = ops.argsort(-values)
        values, vectors = ops.take(values, order), ops.take(vectors, order, axis=1)
        place = ops.cumsum(ops.ones_like(values)) - 1.0
        rank = self._rank(rows.cosines, rows.is_present)
        is_kept = ops.logical_and(place < rank, values > 0)

        roots = ops.sqrt(self._scale(values, place, rank) / ops.where(is_kept, values, 1.0))
        parts = ops.matmul(shares[None, :], vectors)[0] * ops.where(is_kept, roots, 0.0)
        weights = ops.matmul(vectors, parts[:, None])[:, 0]
        weights = ops.where(rows.is_present, weights, 0.0)
        return Weighing(ops.cast(weights, signals.losses.dtype), memory)

    def _rank(self, cosines: Array, is_present: Array) -> Array:
        """Returns how many of the directions are independent; those of absent tasks always are."""
        values, _ = ops.eigh(cosines)
        n_directions = ops.sum(ops.cast(values > RANK * ops.max(values), "float64"))
        return n_directions - ops.sum(ops.cast(ops.logical_not(is_present), "float64"))

    def _scale(self, values: Array, place: Array, rank: Array) -> Array:
        """Returns s [], of eigenvalues in descending order, each with its place from zero."""
        values = ops.where(place < rank, ops.maximum(values, 0.0), 0.0)
        if self.scale == "rmse":
            return ops.sum(values) / ops.maximum(rank, 1.0)
        chosen = rank - 1.0 if self.scale == "min" else ops.floor(rank / 2.0)
        return ops.sum(ops.where(place == chosen, values, 0.0))
