"""Causes that lie in the losses alone: one that is not finite, or that rises from the first."""

import math

from steelyard.analysis.explaining.epochs import column
from steelyard.analysis.explaining.findings import Cause
from steelyard.analysis.explaining.story import Story
from steelyard.analysis.explaining.wording import listed, plain

RISEN = 1.05  # times the loss at the start: more than a mean over an epoch wobbles
FALLEN = 0.99  # times that loss: a head that is above it has learnt nothing


def broken_heads(story: Story) -> dict[str, int]:
    """Returns the heads whose loss was not finite, and the epoch from 1 in which that began."""
    found: dict[str, int] = {}
    for head in story.heads:
        for split in ("train", "valid"):
            losses = column(story.history, f"{split}/{head.name}/loss")
            epochs = [n for n, loss in enumerate(losses, start=1) if not math.isfinite(loss)]
            if epochs:
                found[head.name] = min(epochs[0], found.get(head.name, epochs[0]))
    return found


def broken(story: Story) -> Cause | None:
    """Returns that a loss was not finite, and whether it rose before."""
    if story.status != "diverged":
        return None
    epochs = broken_heads(story)
    rule = "a loss that is not finite ends a run; a rate is too high where losses rose before that"
    if not epochs:
        says = "the sum of the losses was not finite, though each head's own loss was"
        return Cause(name="not finite", says=says, rule=rule)
    first = min(epochs.values())
    heads = [head for head, epoch in epochs.items() if epoch == first]
    says = f"the loss of {listed(heads)} was not finite in epoch {first}"
    if len(heads) > 1:
        says += " (all at once, as it spreads through shared layers: who began cannot be told)"
    rises = {head.name: head.fell_to for head in story.heads}
    risen = {name: rise for name, rise in rises.items() if rise is not None and rise > RISEN}
    if risen:
        worst = max(risen, key=lambda name: risen[name])
        says += f"; before that {worst}'s had risen to {plain(risen[worst])} times its start"
        numbers = {"epoch": first, "rise": risen[worst]}
        return Cause(
            name="learning rate", says=says, rule=rule, heads=[worst, *heads], numbers=numbers
        )
    largest = max(story.heads, key=lambda head: head.start_share or 0)
    if largest.start_share and largest.start is not None:
        says += (
            f"; none had risen before that; the largest at the start was {largest.name}'s, "
            f"{plain(largest.start)}"
        )
    return Cause(name="not finite", says=says, rule=rule, heads=heads, numbers={"epoch": first})


def too_fast(story: Story) -> Cause | None:
    """Returns that no head's training loss came down, and some rose."""
    falls = {head.name: head.fell_to for head in story.heads if head.fell_to is not None}
    if story.status != "finished" or not falls or min(falls.values()) < FALLEN:
        return None
    worst = max(falls, key=lambda name: falls[name])
    rule = "no training loss fell by 1 % from the start to the last epoch, and one rose by 5 %"
    if falls[worst] < RISEN:
        return None
    return Cause(
        name="learning rate",
        says=f"no training loss came down; {worst}'s rose to {plain(falls[worst])} times its start",
        rule=rule,
        heads=[worst],
        numbers={"rise": falls[worst]},
    )
