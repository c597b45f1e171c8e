"""Why a head wins and another loses: by size, by weight, by direction, or for want of signal."""

import statistics

from steelyard.analysis.explaining.broken import broken, too_fast
from steelyard.analysis.explaining.findings import Cause
from steelyard.analysis.explaining.signal import overfitting, pace, small_share, too_little_signal
from steelyard.analysis.explaining.story import Dominance, Pair, Story
from steelyard.analysis.explaining.told import Head
from steelyard.analysis.explaining.wording import percent, plain, spans

APART = 10.0  # times: of gradients that are closer, weights from 0.1 to 10 find the balance
OPPOSED = -0.1  # a cosine: two gradients of one length then cost each other a tenth of their way
OFTEN = 0.6  # of steps: half of them is what gradients do that have nothing to do with each other
OF_ONE_STEP = ("Adam", "AdamW", "Adamax", "LazyAdam", "Nadam", "RMSprop")  # they divide by its size
CHANCE = 0.05  # that a mean cosine is as low by chance, over all pairs of heads together
MOVED = 2.0  # times: weights that move by less cannot mend gradients that are `APART`


def causes(story: Story) -> list[Cause]:
    """Returns why a run went as it did, what weighs most first; none if nothing is amiss."""
    rules = (
        broken,
        unshared,
        size,
        still,
        resting,
        conflict,
        small_share,
        too_little_signal,
        overfitting,
        pace,
        too_fast,
    )
    return [cause for rule in rules for cause in [rule(story)] if cause is not None]


def unshared(story: Story) -> Cause | None:
    """Returns that no layer is shared, so that no head can hold what another needs."""
    if not story.is_unshared or len(story.heads) < 2:  # noqa: PLR2004  one shares with nobody
        return None
    optimizer = str(story.setting("optimizer", "_target_")).rpartition(".")[2]
    says = "no two heads share a layer, so none can hold another's gradient: what a head lacks, it "
    says += "lacks by its own data, its own layers or its own rate"
    if optimizer in OF_ONE_STEP:
        says += f"; under {optimizer}, whose steps do not depend on the size of a loss, loss "
        says += "weights change next to nothing here"
    return Cause(
        name="nothing shared",
        says=says,
        rule="the record counts 0 shared parameters",
        heads=[head.name for head in story.heads],
        numbers={"n_shared_parameters": 0},
    )


def size(story: Story) -> Cause | None:
    """Returns that a head dominated by the length of its gradient: its units', or its weight's."""
    held = story.dominance
    if held is None:
        return None
    if held.of == "loss":
        return _size_of_loss(story, held)
    first = {head.name: head.shares[0] for head in story.heads if head.shares[:1] > [0.0]}
    norms = {head.name: head.norms[0] for head in story.heads if head.norms and head.norms[0] > 0}
    if held.head not in first or held.head not in norms or len(first) < 2:  # noqa: PLR2004
        return None
    other = min((name for name in first if name != held.head), key=lambda name: first[name])
    ratio = first[held.head] / first[other]
    unweighted = norms[held.head] / sum(norms.values())
    numbers = {"ratio": ratio, "share_unweighted": unweighted}
    length = f"in the first epoch {held.head}'s weighted gradient was {plain(ratio, 2)} times as "
    length += f"long as {other}'s"
    if ratio < APART:
        return _drift(story, held, length) if held.is_lasting else None
    when = "" if held.is_lasting else f" (it held most in {spans(held.epochs, held.n_epochs)} only)"
    cosines = [pair.cosine for pair in story.pairs_of(held.head)]
    lowest = min(cosines, default=None)
    if lowest is not None:
        numbers["lowest_cosine"] = lowest
    if norms[held.head] < max(norms.values()):
        says = f"{length}{when}, by its weight: unweighted it would hold {percent(unweighted)}"
        rule = f"over {APART:g} times, though another's unweighted gradient is longer"
        return Cause(name="weights", says=says, rule=rule, heads=[held.head], numbers=numbers)
    direction = ""
    if lowest is not None and lowest > OPPOSED:
        direction = (
            f", and no mean cosine between {held.head} and another head is below "
            f"{plain(round(lowest, 2))}: it wins by size, not by direction"
        )
    rule = f"over {APART:g} times, and its unweighted gradient is the longest"
    return Cause(
        name="units",
        says=f"{length}{when}{direction}",
        rule=rule,
        heads=[held.head],
        numbers=numbers,
    )


def _drift(story: Story, held: Dominance, length: str) -> Cause:
    shares = _head(story, held.head).shares
    has_grown = shares[0] <= held.most
    return Cause(
        name="drift" if has_grown else "uneven",
        says=f"{length}; its share was {percent(shares[0])} then, and {percent(shares[-1])} in the "
        "last epoch",
        rule=f"most of the gradient in half of the epochs, less than {APART:g} times at first"
        + (", when it did not hold most yet" if has_grown else ""),
        heads=[held.head],
        numbers={"share_first": shares[0], "share_last": shares[-1]},
    )


def _size_of_loss(story: Story, held: Dominance) -> Cause | None:
    starts = {head.name: head.start_share for head in story.heads if head.start_share}
    if held.head not in starts or len(starts) < 2:  # noqa: PLR2004  one has nothing beside it
        return None
    other = min(starts, key=lambda name: starts[name])
    ratio = starts[held.head] / starts[other]
    if ratio < APART or other == held.head:
        return None
    return Cause(
        name="units",
        says=f"before the first step {held.head}'s weighted loss was {plain(ratio, 2)} times "
        f"{other}'s; what that made of their gradients is not recorded",
        rule=f"weighted losses over {APART:g} times apart at the start",
        heads=[held.head],
        numbers={"ratio_of_losses": ratio},
    )


def still(story: Story) -> Cause | None:
    """Returns that a method which moves weights moved them too little for what there was."""
    found = size(story)
    moves = {head.name: _moved(head) for head in story.heads}
    if found is None or story.method == "fixed" or not any(moves.values()):
        return None
    if found.name != "units" or "ratio" not in found.numbers:
        return None
    if story.dominance is None or not story.dominance.is_lasting or max(moves.values()) >= MOVED:
        return None
    most = max(moves.values())
    return Cause(
        name="a weighting that hardly moves",
        says=f"{story.method} moved no weight by more than {plain(most)} times, against gradients "
        f"{plain(found.numbers['ratio'], 2)} times apart",
        rule=f"weights that move less than {MOVED:g} times while the units hold",
        heads=list(moves),
        numbers={"moved": most},
    )


def _moved(head: Head) -> float:
    """Returns the largest weight of a head over its smallest; 0 where that is not to be told."""
    low, high = min(head.weights, default=0.0), max(head.weights, default=0.0)
    return high / low if low > 0 else 0.0


def resting(story: Story) -> Cause | None:
    """Returns what the run's own alarm says of weights that never moved."""
    told = [alarm for alarm in story.record.get("alarms") or [] if "never moves" in alarm]
    if not told:
        return None
    rule = "the run's own alarm"
    return Cause(name="a weight that does not move", says="; ".join(told), rule=rule)


def conflict(story: Story) -> Cause | None:
    """Returns that gradients of two heads oppose each other, clearly and mostly."""
    opposed = [pair for pair in story.pairs if _is_opposed(pair, len(story.pairs))]
    if not opposed:
        return None
    worst = min(opposed, key=lambda pair: pair.cosine)
    one, other = worst.heads
    more = f"; {len(opposed) - 1} more of {len(story.pairs)} pairs do" if opposed[1:] else ""
    cosine, rate = plain(round(worst.cosine, 2)), percent(worst.conflict_rate or 0)
    return Cause(
        name="conflict",
        says=f"{one} and {other} pull against each other: mean cosine {cosine}, below zero in "
        f"{rate} of the measured steps{more}",
        rule=f"mean cosine below {OPPOSED:g} and not by chance (t-test over the epochs, "
        f"{CHANCE:.0%} over all pairs), below zero in over {OFTEN:.0%} of steps",
        heads=list(dict.fromkeys(head for pair in [worst, *opposed] for head in pair.heads)),
        numbers={"cosine": worst.cosine, "conflict_rate": worst.conflict_rate or 0},
    )


def _is_opposed(pair: Pair, n_pairs: int) -> bool:
    if pair.cosine > OPPOSED or (pair.conflict_rate or 0) < OFTEN or len(pair.cosines) < 2:  # noqa: PLR2004
        return False
    spread = statistics.stdev(pair.cosines)
    if spread == 0:
        return True
    from scipy.special import stdtr  # noqa: PLC0415  it takes as long as all the rest

    n = len(pair.cosines)
    return bool(stdtr(n - 1, pair.cosine / spread * n**0.5) < CHANCE / n_pairs)


def _head(story: Story, name: str) -> Head:
    return next(head for head in story.heads if head.name == name)
