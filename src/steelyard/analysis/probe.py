"""From the numbers of a probe to words: units, noise, conflict, and what to distrust."""

import math
from collections.abc import Mapping
from typing import Any

EVEN, DROWNED = 3.0, 30.0  # the longest gradient over the shortest
STARVED = 0.05  # of an equal share of the gradient
NOISY = 0.8  # of the squared length of a gradient
LARGEST_BATCH = 1_000_000  # beyond it, no batch is worth naming
PULLING = 0.1  # of a mean cosine from step to step, which noise draws towards 0
OFTEN = 0.6  # of the steps in which a cosine is below 0
BEGUN = 0.98  # of the loss of the best constant
TWO = 2

Heads = Mapping[str, Mapping[str, Any]]


def diagnosis(found: Mapping[str, Any]) -> list[str]:
    """Returns what a probe's numbers say, a sentence or two a line.

    Args:
        found: What `steelyard.training.probe.measure` returns.
    """
    heads = {head: values for head, values in found["heads"].items() if "norm" in values}
    return [
        *_units(heads),
        *_noise(heads, found["batch_size"]),
        *_conflict(found["pairs"]),
        *_warnings(heads, found["steps"]),
    ]


def shares(found: Mapping[str, Any]) -> dict[str, float]:
    """Returns each head's part of the weighted gradients' lengths, at the loss weights given."""
    parts = {
        head: values["given"] * values["norm"]
        for head, values in found["heads"].items()
        if math.isfinite(values.get("norm", math.nan))
    }
    total = sum(parts.values())
    return {head: part / total for head, part in parts.items()} if total > 0 else {}


def _units(heads: Heads) -> list[str]:
    norms = {head: values["norm"] for head, values in heads.items() if values["norm"] > 0}
    if len(norms) < TWO:
        return []
    ranked = sorted(norms, key=lambda head: norms[head])
    longest, shortest = ranked[-1], ranked[0]
    ratio = norms[longest] / norms[shortest]
    if ratio < EVEN:
        lines = [f"Units: even. No gradient is more than {ratio:.2g} times as long as another."]
    else:
        verb = "drowns" if ratio > DROWNED else "outweighs"
        lines = [
            f"Units: {longest} {verb} {shortest}. Alone, its gradient on the shared layers is "
            f"{ratio:.3g} times as long."
        ]
    part = shares({"heads": heads})
    starved = {head: share for head, share in part.items() if share * len(part) < STARVED}
    if starved:
        lines.append(
            f"At the loss weights given, {' and '.join(starved)} would have "
            f"{100 * sum(starved.values()):.2g} % of the gradient."
        )
    return lines


def _noise(heads: Heads, batch_size: int) -> list[str]:
    lines = []
    for head, values in heads.items():
        share = values["noise_share"]
        if not share > NOISY:
            continue
        text = f"Noise: {100 * share:.0f} % of {head}'s squared gradient differ between batches"
        batch = math.inf if share >= 1 else batch_size * share / (1 - share)
        if batch < LARGEST_BATCH:
            text += f"; in batches of {float(f'{batch:.1g}'):,.0f} it would be half"
        lines.append(f"{text}. A larger weight takes its noise along.")
    return lines or [f"Noise: no more than {100 * NOISY:.0f} % of any squared gradient."]


def _conflict(pairs: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = []
    for pair, values in pairs.items():
        cosine, rate = values["cosine"], values["conflict_rate"]
        if cosine < -PULLING and rate > OFTEN:
            lines.append(
                f"Conflict: {pair} pull apart (mean cosine {cosine:.2f}, below 0 in "
                f"{100 * rate:.0f} % of the steps). Weights decide who gives way; a method that "
                "goes by angles (weighting=pcgrad, cagrad, nash_mtl) is worth a run."
            )
        elif cosine > PULLING:
            lines.append(f"Conflict: none between {pair}, which help each other ({cosine:.2f}).")
    is_known = any(math.isfinite(values["cosine"]) for values in pairs.values())
    if is_known and not lines:
        return ["Conflict: none. The gradients are nearly at right angles."]
    return lines


def _warnings(heads: Heads, n_steps: int) -> list[str]:
    lines = []
    for head, values in heads.items():
        if not values["norm"] > 0:
            lines.append(f"{head} has no gradient on the shared layers: its weight is set to 1.")
        elif not values["is_stable"]:
            lines.append(
                f"{head} does not come down alone at this learning rate: its weight is a guess "
                "from its first steps."
            )
        elif values["alone_loss"] > BEGUN * values["constant_loss"]:
            lines.append(
                f"{head} is not below its best constant after {n_steps} steps alone "
                f"({values['alone_loss']:.3g} against {values['constant_loss']:.3g}). Probe longer "
                "(--steps), unless there is nothing to learn."
            )
    return lines
