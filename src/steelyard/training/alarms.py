"""What a reader must be warned of: a head that holds all, a weight that rests, a broken loss."""

import math
from collections.abc import Mapping, Sequence

Row = Mapping[str, float]  # an epoch's values by name

MOST = 0.95  # of the trunk's gradient: a head that holds more leaves the others nothing
LEAST_MOVE = 1e-6  # of a weight's own size
N_EPOCHS = 4  # some methods weigh all heads alike for two epochs


def alarms(history: Sequence[Row], heads: Sequence[str], *, moves: bool) -> list[str]:
    """Returns what is amiss in a run, a sentence each.

    Args:
        history: Its epochs.
        heads: Those that were trained.
        moves: Whether its method should change the weights.
    """
    return [*_broken(history, heads), *_alone(history, heads), *_at_rest(history, heads, moves)]


def _broken(history: Sequence[Row], heads: Sequence[str]) -> list[str]:
    found = []
    for head in heads:
        epochs = [
            int(row["epoch"])
            for row in history
            if not math.isfinite(row.get(f"train/{head}/loss", 0.0))
        ]
        if epochs:
            found.append(f"the loss of {head} is not finite from epoch {epochs[0] + 1} on")
    return found


def _alone(history: Sequence[Row], heads: Sequence[str]) -> list[str]:
    found = []
    for head in heads:
        shares = [row.get(f"train/{head}/gradient_share", 0.0) for row in history]
        held = [share for share in shares if share > MOST]
        if held and len(heads) > 1:
            found.append(
                f"{head} holds over {MOST:.0%} of the gradient of the shared layers in "
                f"{len(held)} of {len(shares)} epochs, up to {max(held):.2%}"
            )
    return found


def _at_rest(history: Sequence[Row], heads: Sequence[str], moves: bool) -> list[str]:
    if not moves or len(heads) < 2 or len(history) < N_EPOCHS:  # noqa: PLR2004  one cannot vary
        return []
    if _never_conflict(history):  # methods that mend conflicts have nothing to mend
        return []
    resting = []
    for head in heads:
        weights = [row.get(f"train/{head}/weight", 0.0) for row in history]
        if max(weights) - min(weights) <= LEAST_MOVE * max(map(abs, weights)):
            resting.append(head)
    if not resting:
        return []
    return [
        f"the weight of {', '.join(resting)} never moves, though the method should move it: "
        "is any layer shared?"
    ]


def _never_conflict(history: Sequence[Row]) -> bool:
    rates = [
        value for row in history for name, value in row.items() if name.endswith("/conflict_rate")
    ]
    return bool(rates) and max(rates) == 0
