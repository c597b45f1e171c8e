"""The probe: what each head's gradient is, and the loss weights that make them equally strong."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from steelyard.training.pipeline import Parts
from steelyard.training.probing import Phase, Probing
from steelyard.training.two_batches import noise_of

N_STEPS = 200
FIRST, TOGETHER = "first step", "together"
N_CORRECTIONS = 2
AT_MOST = 3.0  # of what one correction multiplies a weight by
BLOWN_UP = 10.0  # a loss this many times that before the first step tells nothing more
Report = Callable[[str, int, int], None]  # (what is trained, steps taken, of how many)


def measure(parts: Parts, n_steps: int, report: Report) -> dict[str, Any]:
    """Returns what a probe finds, as plain numbers: `heads`, `pairs`, and how it was measured.

    Each head is first trained alone for some steps, from the same initial weights, as far as its
    own loss takes it. The weight of a head is the inverse of the root mean square, over these
    steps, of its gradient's length on the shared parameters. Then all are trained together on
    these weights, twice, and each time a weight is corrected by what the others' company cost its
    head (`corrected`); what their gradients do to each other is measured meanwhile.

    Lengths at the first step alone mislead: a squared error's gradient falls a hundredfold while
    the head learns its mean, and a cross-entropy's begins by growing. Lengths beside others that
    are not yet weighed mislead too: what the others do to the trunk is in them.

    A head trains alone at a weight of one over its first gradient's length, so that the result does
    not see units: a loss times c gives a weight over c, whatever the optimizer.

    Args:
        parts: What a run would be made of; a head whose loss weight is 0 is left out.
        n_steps: Steps of each phase; fewer where the run itself has fewer.
        report: Told of the steps taken.
    """
    probing = Probing(parts, n_steps)
    given = probing.given
    heads = [head for head in probing.heads if given[head] > 0]
    found: dict[str, Any] = {
        "steps": probing.n_steps,
        "batch_size": probing.n_batch,
        "weighting": type(parts.weighting).__name__,
        "is_shared": probing.is_shared,
        "heads": {head: {"given": weight, "weight": 1.0} for head, weight in given.items()},
        "pairs": {},
    }
    for head in given.keys() - set(heads):
        found["heads"][head]["weight"] = 0.0
    if len(heads) == 1 or not probing.is_shared:
        return found
    first = probing.phase(dict.fromkeys(heads, 1.0), 1, partial(_ignore, report))
    for head in heads:
        k = probing.heads.index(head)
        begin = float(first.norms[0, k])
        pull = 1.0 / begin if begin > 0 and math.isfinite(1.0 / begin) else 1.0
        alone = probing.phase(
            {head: pull}, probing.n_steps, _told(report, f"{head} alone", probing)
        )
        found["heads"][head] |= _of_head(alone, k, probing.ready.start[head]) | {
            "start_loss": probing.ready.start[head],
            "constant_loss": probing.ready.judges["train"].constant_losses[head],
            "first_norm": begin,
        }
    by_itself = {head: found["heads"][head]["alone_loss"] for head in heads}
    weights = weights_of({head: found["heads"][head]["norm"] for head in heads})
    for n in range(1, N_CORRECTIONS + 1):
        name = f"{TOGETHER}, {n} of {N_CORRECTIONS}"
        together = probing.phase(
            weights, probing.n_steps, _told(report, name, probing), is_looking=n == N_CORRECTIONS
        )
        losses = {head: _late(together.losses[:, probing.heads.index(head)]) for head in heads}
        weights = corrected(weights, by_itself, losses)
    for head in heads:
        found["heads"][head] |= {"weight": weights[head], "together_loss": losses[head]}
    _compare(found, probing, together, heads)
    return found


def weights_of(norms: Mapping[str, float]) -> dict[str, float]:
    """Returns the loss weight of each head: one over the length of its gradient.

    They are scaled so that the head whose length is nearest to 1, which is about that of a
    cross-entropy, weighs 1. A head without a length (it shares nothing, or its gradient vanishes)
    weighs 1 too. Two digits are kept: more are noise.
    """
    known = {head: norm for head, norm in norms.items() if norm > 0 and math.isfinite(norm)}
    if not known:
        return dict.fromkeys(norms, 1.0)
    unit = min(known.values(), key=lambda norm: abs(math.log(norm)))
    return {head: float(f"{unit / known[head]:.2g}") if head in known else 1.0 for head in norms}


def corrected(
    weights: Mapping[str, float], alone: Mapping[str, float], together: Mapping[str, float]
) -> dict[str, float]:
    """Returns weights in which a head counts for more by what the others' company cost it.

        w_k <- w_k * (loss together / loss alone),    the factor within [1/3, 3]

    The head that weighed 1 still does. A head that is served as well as alone loses to those that
    are not; what units the losses have does not matter.
    """
    factors = dict.fromkeys(weights, 1.0)
    for head in weights:
        if alone[head] > 0 and math.isfinite(together[head] / alone[head]):
            factors[head] = min(max(together[head] / alone[head], 1 / AT_MOST), AT_MOST)
    unit = next((factors[head] for head, weight in weights.items() if weight == 1), 1.0)
    return {head: float(f"{weight * factors[head] / unit:.2g}") for head, weight in weights.items()}


def _of_head(alone: Phase, k: int, start: float) -> dict[str, Any]:
    """Returns what a head showed while it trained alone."""
    losses, norms = alone.losses[:, k], alone.norms[:, k]
    is_stable = np.isfinite(losses) & (np.maximum.accumulate(losses) <= BLOWN_UP * start)
    is_sound = is_stable & np.isfinite(norms)  # a reading may hold no label of the head
    sound, steps = norms[is_sound], alone.steps[is_sound]
    return {
        "alone_loss": _late(losses),
        "is_stable": bool(is_stable.all()),
        "norm": float(np.sqrt(np.average(sound**2, weights=steps))) if len(sound) else math.nan,
    }


def _compare(found: dict[str, Any], probing: Probing, together: Phase, heads: list[str]) -> None:
    """Adds what the heads' gradients do to each other, over the later half of the steps."""
    half = len(together.told) // 2
    noise = noise_of(together.gramians[half:])
    places = {head: probing.heads.index(head) for head in heads}
    for head, k in places.items():
        found["heads"][head]["noise_share"] = float(noise.shares[k])
    for one, other in combinations(heads, 2):
        name = f"{one} and {other}"
        found["pairs"][name] = {
            "cosine": _mean(together, f"{name}/cosine", half),
            "conflict_rate": _mean(together, f"{name}/conflict_rate", half),
            "cosine_without_noise": noise.cosines[places[one], places[other]],
        }


def _late(losses: np.ndarray) -> float:
    """Returns the mean of the later half of readings, which spares it the noise of the last."""
    return float(np.mean(losses[len(losses) // 2 :]))


def _mean(phase: Phase, name: str, begin: int) -> float:
    values = [told[name] for told in phase.told[begin:] if name in told]
    return float(np.mean(values)) if values else math.nan


def _told(report: Report, what: str, probing: Probing) -> Callable[[int], None]:
    return lambda n_taken: report(what, n_taken, probing.n_steps)


def _ignore(report: Report, n_taken: int) -> None:
    report(FIRST, n_taken, 1)
