"""What would help a run: each advice with the number it follows from, and the overrides to give."""

from collections.abc import Mapping, Sequence

from steelyard.analysis.explaining.broken import broken_heads
from steelyard.analysis.explaining.causes import MOVED
from steelyard.analysis.explaining.findings import Advice, Cause
from steelyard.analysis.explaining.lengthen import lengthen
from steelyard.analysis.explaining.rebalance import (
    alone,
    is_scale_free,
    of_balance,
    of_rivals,
    overrides_of,
    to_fixed,
)
from steelyard.analysis.explaining.story import MOST_OF_LOSS, Story
from steelyard.analysis.explaining.told import Head
from steelyard.analysis.explaining.wording import listed, plain

NON_CONFLICTING = "upgrad"
ARE_NON_CONFLICTING = ("dual_proj", "edm", "fair_grad", "mgda", "nash_mtl", "upgrad")
SLOWER = 10.0  # times
DROPOUT = 0.3


def advice(story: Story, causes: Sequence[Cause]) -> list[Advice]:
    """Returns what would help, what weighs most first; none where nothing need be done.

    Where heads are kept from learning by their balance, all else waits until that is mended.
    """
    by_name = {cause.name: cause for cause in causes}
    first = [*of_balance(story, by_name), *_of_conflict(story, by_name), *_of_rate(story, by_name)]
    if first and story.unserved:
        return [*first, *_of_noise(story, by_name), *_of_measuring(story)]
    return [
        *first,
        *_of_noise(story, by_name),
        *of_rivals(story),
        *_of_heart(story),
        *(Advice(says=says, overrides=words) for says, words in lengthen(story)),
        *_of_freezing(story),
        *_of_measuring(story),
    ]


def _of_conflict(story: Story, causes: Mapping[str, Cause]) -> list[Advice]:
    if "conflict" not in causes or story.method in ARE_NON_CONFLICTING:
        return []
    if causes.keys() & {"units", "weights", "small share"} and not is_scale_free(story):
        return []  # the scale-free method that is advised mends conflicts too
    cosine = round(causes["conflict"].numbers["cosine"], 2)
    return [
        Advice(
            says=f"A method whose steps make no head worse, to first order, at a mean cosine of "
            f"{plain(cosine)}: no loss weights mend that.",
            overrides=[f"weighting={NON_CONFLICTING}"],
        )
    ]


def _of_rate(story: Story, causes: Mapping[str, Cause]) -> list[Advice]:
    if not causes.keys() & {"learning rate", "not finite"}:
        return []
    found = []
    rate = story.setting("optimizer", "learning_rate")
    if isinstance(rate, int | float):
        found.append(
            Advice(
                says=f"A lower learning rate: it was {plain(rate)}.",
                overrides=[f"optimizer.learning_rate={rate / SLOWER:g}"],
            )
        )
    largest = max(story.heads, key=lambda head: head.start_share or 0, default=None)
    is_uneven = len(story.heads) > 1 and largest and (largest.start_share or 0) > MOST_OF_LOSS
    if broken_heads(story) and is_uneven and largest and largest.start is not None:
        found.append(
            Advice(
                says=f"Every loss at 1 to begin with: {largest.name} began at "
                f"{plain(largest.start)}.",
                overrides=["loss_weights=inverse_start"],
            )
        )
    return found


def _of_noise(story: Story, causes: Mapping[str, Cause]) -> list[Advice]:
    noise = causes.get("noise or too little signal")
    if noise is None or len(story.heads) == 1:
        return []
    name = noise.heads[0]
    return [
        Advice(
            says=f"Train {name} alone: if it does not get below its constant then either, no "
            "balance will help, and it wants other data or another network.",
            overrides=[*to_fixed(story), *overrides_of(alone(story, name))],
        )
    ]


def _of_heart(story: Story) -> list[Advice]:
    heads = [head.name for head in story.heads if head.has_overfitted]
    if not heads or story.setting("model", "dropout") != 0:
        return []
    return [
        Advice(
            says=f"Dropout, against what {listed(heads)} learnt by heart: the trunk had none.",
            overrides=[f"model.dropout={DROPOUT:g}"],
        )
    ]


def _of_freezing(story: Story) -> list[Advice]:
    """Returns the mean weights of a method that served every head, to be tried as fixed ones."""
    means = {head.name: head.weight for head in story.heads}
    if story.method == "fixed" or len(story.heads) < 2:  # noqa: PLR2004
        return []
    if story.unserved or story.untold:
        return []
    if story.status != "finished" or not any(_moves(head) for head in story.heads):
        return []
    weights = {name: float(f"{weight:.2g}") for name, weight in means.items() if weight}
    return [
        Advice(
            says=f"The means of the weights that {story.method} gave, as fixed ones: worth a "
            "comparison, at one backward pass a step.",
            overrides=["weighting=fixed", *overrides_of(weights)],
            loss_weights=weights,
        )
    ]


def _moves(head: Head) -> bool:
    return bool(head.weights) and max(head.weights) > MOVED * min(head.weights) > 0


def _of_measuring(story: Story) -> list[Advice]:
    is_told = story.has_gradients or story.is_unshared
    if story.status == "failed" or is_told or len(story.heads) < 2:  # noqa: PLR2004
        return []
    every = story.setting("training", "diagnose_every")
    if every == 0:
        says = "Have the gradients measured: it was switched off (training.diagnose_every=0)."
        return [Advice(says=says, overrides=["training.diagnose_every=50"])]
    return [Advice(says="Train it again with this version, which measures the heads' gradients.")]
