"""What a probe prints beside its diagnosis: tables, and loss weights to paste or to sweep."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from steelyard.analysis.probe import shares

FACTOR = 3.0  # between two weights of the grid
FULL_GRID = 3  # heads; with more, one weight is moved at a time
LEGEND = (
    "Loss: before the first step; alone: mean of the later half of {steps} steps of that head "
    "alone; together: the same with all heads trained; constant: of its best constant. Gradient: "
    "its length on the shared layers, the root mean square over the steps alone. Share: of the "
    "gradients, at the loss weights given. Noise: the part of the squared gradient that differs "
    "from batch to batch, in the later half of the steps together, as are the cosines."
)


def rows(found: Mapping[str, Any]) -> list[Sequence[str]]:
    """Returns the table of heads: the names of columns first, then a row a head.

    Args:
        found: What `steelyard.training.probe.measure` returns.
    """
    part = shares(found)
    names = ("head", "loss", "constant", "alone", "together", "gradient", "share", "noise")
    keys = ("start_loss", "constant_loss", "alone_loss", "together_loss", "norm")
    return [
        (*names, "weight"),
        *(
            (
                head,
                *(_number(values.get(key)) for key in keys),
                _percent(part.get(head)),
                _percent(values.get("noise_share")),
                f"{values['weight']:g}",
            )
            for head, values in found["heads"].items()
        ),
    ]


def pair_rows(found: Mapping[str, Any]) -> list[Sequence[str]]:
    """Returns the table of pairs of heads: the names of columns first, then a row a pair."""
    return [
        ("pair", "cosine", "without noise", "below 0"),
        *(
            (
                pair,
                _number(values["cosine"], "+.2f"),
                _number(values["cosine_without_noise"], "+.2f"),
                _percent(values["conflict_rate"]),
            )
            for pair, values in found["pairs"].items()
        ),
    ]


def grid(weights: Mapping[str, float]) -> list[dict[str, float]]:
    """Returns loss weights around those of a probe, a factor of three apart; those come first.

    One head keeps its weight, for only ratios matter. Of up to three heads, every combination of
    the others is there; of more, one weight moves at a time.
    """
    trained = [head for head, weight in weights.items() if weight > 0]
    unit = min(trained, key=lambda head: abs(math.log(weights[head])))
    moved = [head for head in trained if head != unit]
    factors = (1.0, 1.0 / FACTOR, FACTOR)
    moves: list[dict[str, float]] = [{}, *({h: each} for h in moved for each in factors[1:])]
    if len(trained) <= FULL_GRID:
        moves = [
            dict(zip(moved, each, strict=True)) for each in product(factors, repeat=len(moved))
        ]
    return [
        {head: float(f"{weight * move.get(head, 1.0):.2g}") for head, weight in weights.items()}
        for move in moves
    ]


def keras_weights(weights: Mapping[str, float]) -> str:
    """Returns the argument of Keras's `compile`."""
    told = ", ".join(f'"{head}": {weight:g}' for head, weight in weights.items())
    return f"loss_weights={{{told}}}"


def override(weights: Mapping[str, float]) -> str:
    """Returns loss weights as a value on the command line."""
    told = ",".join(f"{head}:{weight:g}" for head, weight in weights.items())
    return f"{{{told}}}"


def _number(value: float | None, form: str = ".3g") -> str:
    return "-" if value is None or not math.isfinite(value) else format(value, form)


def _percent(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    return f"{100 * value:.0f} %" if value > 0.1 else f"{100 * value:.2g} %"  # noqa: PLR2004
