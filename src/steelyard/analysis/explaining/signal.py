"""Causes that lie in a head's own course: too small a share, too little signal, or too long."""

from steelyard.analysis.explaining.epochs import finite, mean
from steelyard.analysis.explaining.findings import Cause
from steelyard.analysis.explaining.story import Story
from steelyard.analysis.explaining.told import SERVED, WORSE, Head
from steelyard.analysis.explaining.wording import listed, percent, ratio

FAIR = 0.5  # of a fair share 1 / K: a head that holds as much was not kept from learning


def small_share(story: Story) -> Cause | None:
    """Returns the heads that got little of the gradient though no other held most of it."""
    is_held = story.dominance is not None and story.dominance.is_lasting
    starved = [head for head in story.unserved if _has_little(story, head)]
    if is_held or not starved:
        return None
    told = [f"{head.name} got {percent(head.share or 0)}" for head in starved]
    return Cause(
        name="small share",
        says=f"{listed(told)} of the gradient on average, though no head held most of it",
        rule=f"no head held most, and this one less than {FAIR:g} of a fair share 1/K",
        heads=[head.name for head in starved],
        numbers={f"share/{head.name}": head.share or 0 for head in starved},
    )


def too_little_signal(story: Story) -> Cause | None:
    """Returns the heads that had their share and yet learnt nothing that holds on validation."""
    found = [head for head in story.unserved if _had_its_share(story, head) and not head.was_served]
    if not found:
        return None
    return Cause(
        name="noise or too little signal",
        says="; ".join(_of_signal(head) for head in found),
        rule=f"at least {FAIR:g} of a fair share 1/K, and in no epoch below "
        f"{SERVED:g} of the constant's loss",
        heads=[head.name for head in found],
        numbers={f"ratio/{head.name}": head.kept or 0 for head in found},
    )


def _of_signal(head: Head) -> str:
    says = f"{head.name} stayed at {ratio(head.kept or 0)} of its constant's loss"
    share = head.share if head.share is not None else mean(head.loss_shares)
    if share is not None and share < 1:
        of = "gradient" if head.share is not None else "weighted loss"
        says = f"{head.name} held {percent(share)} of the {of} and yet{says[len(head.name) :]}"
    train = finite(head.train)[-1:]
    if not train or not head.constant:
        return says
    own = train[0] / head.constant
    if own < SERVED - WORSE:
        return f"{says}, while in training it came to {ratio(own)}: it learnt examples by heart"
    return f"{says}, in training too ({ratio(own)}): it learnt hardly anything"


def overfitting(story: Story) -> Cause | None:
    """Returns the heads that went on learning by heart after their best epoch."""
    found = [head for head in story.heads if head.has_overfitted]
    if not found:
        return None
    told = [
        f"{head.name} was best in epoch {head.best_epoch} and ended "
        f"{percent(head.worse_after or 0)} above that"
        for head in found[:3]
    ]
    more = [f"{len(found) - len(told)} more likewise"] if len(found) > len(told) else []
    return Cause(
        name="overfitting",
        says="; ".join([*told, *more]),
        rule=f"validation loss over {percent(WORSE)} above its best in the last epoch, while the "
        "training loss fell",
        heads=[head.name for head in found],
        numbers={f"worse/{head.name}": head.worse_after or 0 for head in found},
    )


def pace(story: Story) -> Cause | None:
    """Returns the heads whose best epoch is far from the one that was kept."""
    late = {
        head.name: (head, cost)
        for head in story.heads
        for cost in [_cost(head)]
        if cost is not None and cost > WORSE
    }
    if not late or story.kept_epoch is None or len(story.heads) < 2:  # noqa: PLR2004
        return None
    name = max(late, key=lambda each: late[each][1])
    head, cost = late[name]
    return Cause(
        name="pace",
        says=f"one epoch had to be kept for all, {story.kept_epoch}: it costs {name} "
        f"{percent(cost)} of loss against its own best, epoch {head.best_epoch}",
        rule=f"over {percent(WORSE)} above the head's own best in the epoch that was kept",
        heads=list(late),
        numbers={f"cost/{each}": cost for each, (_, cost) in late.items()},
    )


def _cost(head: Head) -> float | None:
    """Returns by how much a head's loss was above its best in the epoch that was kept."""
    known = finite(head.ratios)
    if head.kept is None or not known or min(known) <= 0:
        return None
    return head.kept / min(known) - 1


def _had_its_share(story: Story, head: Head) -> bool:
    """Returns whether nothing kept a head from learning, as far as the record tells."""
    if len(story.heads) == 1 or story.is_unshared:
        return True
    if story.has_gradients:
        return head.share is not None and head.share >= FAIR / len(story.heads)
    share = mean(head.loss_shares)
    return story.dominance is None and share is not None and share >= FAIR / len(story.heads)


def _has_little(story: Story, head: Head) -> bool:
    return head.share is not None and head.share < FAIR / len(story.heads)
