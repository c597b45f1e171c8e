"""From what the user said of loss weights to a number for each head."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

RULES = ("equal", "inverse_variance", "inverse_start")


def resolve(
    given: Mapping[str, Any],
    heads: Sequence[str],
    *,
    constant: Mapping[str, float],
    start: Mapping[str, float],
) -> dict[str, float]:
    """Returns the weight of each head: its own number, or what the rule gives it.

    Args:
        given: A `rule`, and numbers by head.
        heads: The heads' names.
        constant: The loss of each head's best constant predictor on train. Of a squared error it
            is the variance of the targets, of a cross-entropy the entropy of the classes.
        start: The loss of each head before the first step.

    Raises:
        ValueError: A rule's loss is zero or not finite, so that it gives no weight.
    """
    rule = given["rule"]
    losses = {"inverse_variance": constant, "inverse_start": start}.get(rule)
    weights = {}
    for head in heads:
        if head in given:
            weights[head] = float(given[head])
        elif losses is None:
            weights[head] = 1.0
        elif not (math.isfinite(losses[head]) and losses[head] > 0):
            raise ValueError(
                f"`loss_weights.{head}` must be given, for {rule} finds a loss of {losses[head]}."
            )
        else:
            weights[head] = 1.0 / losses[head]
    return weights
