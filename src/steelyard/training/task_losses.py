"""Each head's loss on a batch: a mean over the examples that bear its label."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras

from steelyard.arrays import Array, Losses, Named, ops
from steelyard.training.heads import by_head, errors


class TaskLosses(NamedTuple):
    """The heads' losses on a batch, before any weight."""

    by_task: tuple[Array, ...]  # [] each; never stacked inside a tape, which would link the heads
    known: Named  # the weight of each example [N] by head; 0 without a label

    @property
    def losses(self) -> Losses:
        """The losses [K]."""
        return ops.stack(self.by_task)

    @property
    def counts(self) -> Array:
        """The labelled examples of each head [K]."""
        return ops.stack([ops.sum(each) for each in self.known.values()])


def task_losses(
    heads: Sequence[str],
    head_losses: Mapping[str, Any],
    targets: Any,
    outputs: Named,
    sample_weight: Any,
) -> TaskLosses:
    """Returns each head's mean loss over the examples that bear its label; 0 where none does."""
    targets = by_head("targets", targets, heads)
    given = {} if sample_weight is None else sample_weight
    if isinstance(given, Mapping | list | tuple):
        given = by_head("sample_weight", given, heads) if given else {}
    else:
        given = dict.fromkeys(heads, given)
    losses, known = [], {}
    for head in heads:
        if head not in targets:
            raise ValueError(f"`targets` must have an entry for the head {head!r}, got none.")
        target, is_known = masked(targets[head])
        output = outputs[head]
        if keras.backend.standardize_dtype(output.dtype) in {"float16", "bfloat16"}:
            output = ops.cast(output, "float32")  # half a precision is too little for a mean
        error = errors(head_losses[head], target, output)  # [N]
        weight = ops.cast(is_known, error.dtype)
        if head in given:
            weight = weight * ops.reshape(ops.cast(given[head], error.dtype), (-1,))
        # A product would keep an infinite error of an example that does not count.
        total = ops.sum(ops.where(weight > 0, error * weight, 0.0))
        losses.append(total / ops.maximum(ops.sum(weight), 1e-12))
        known[head] = weight
    return TaskLosses(tuple(losses), known)


def masked(target: Array) -> tuple[Array, Array]:
    """Returns a head's targets with its missing ones filled, and which are known [N]."""
    if "int" in keras.backend.standardize_dtype(target.dtype):
        is_known = target != -1
    else:
        is_known = ops.logical_not(ops.isnan(target))
    filled = ops.where(is_known, target, ops.zeros_like(target))
    is_known = ops.all(ops.reshape(is_known, (ops.shape(target)[0], -1)), axis=-1)
    if len(filled.shape) == 1:
        filled = filled[:, None]  # [N, 1]
    return filled, is_known
