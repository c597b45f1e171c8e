"""Advice on the balance: loss weights, a scale-free method, a unit taken out, a head alone."""

import statistics
from collections.abc import Mapping

from steelyard.analysis.explaining.causes import APART
from steelyard.analysis.explaining.findings import Advice, Cause
from steelyard.analysis.explaining.story import Story
from steelyard.analysis.explaining.wording import listed, plain, ratio

SCALE_FREE = "nash_mtl"  # its weighted gradient depends on no unit, and it mends conflicts too
ARE_SCALE_FREE = ("db_mtl", "encodec", "nash_mtl", "scale_invariant", "stch")
AROUND = (1 / 3, 1.0, 3.0)  # times: half a decade to either side
LITTLE = 0.5  # of the constant's loss: a head that came below it has lost no more than the rest


def balanced(story: Story) -> dict[str, float]:
    """Returns the loss weights at which the first epoch's gradients would have been of one length.

    w_k = n / n_k, where n_k is the mean length of the gradient of head k on the shared layers in
    the first epoch, and n that of the head in the middle (of two, of the shorter): it weighs 1.
    The first epoch is taken for the later ones show what dominance made of the lengths. Heads of no
    gradient weigh 1, those that were not trained 0. None where fewer than two lengths are known.
    """
    norms = {head.name: head.norms[0] for head in story.heads if head.norms and head.norms[0] > 0}
    if len(norms) < 2:  # noqa: PLR2004  there is nothing to compare
        return {}
    middle = statistics.median_low(norms.values())
    weights = {
        head.name: float(f"{middle / norms.get(head.name, middle):.2g}") for head in story.heads
    }
    return weights | dict.fromkeys(story.untrained, 0.0)


def overrides_of(loss_weights: Mapping[str, float]) -> list[str]:
    """Returns loss weights as words of a command, one a head."""
    return [f"loss_weights.{head}={weight:g}" for head, weight in loss_weights.items()]


def of_balance(story: Story, causes: Mapping[str, Cause]) -> list[Advice]:
    """Returns what gives every head its share where one held most, or one got little."""
    by_size = causes.get("units") or causes.get("weights")
    uneven = causes.get("uneven") if story.unserved else None
    is_late = "drift" in causes and bool(story.unserved)
    if not (by_size or uneven or is_late or "small share" in causes):
        return []
    found = []
    weights = {} if is_late else balanced(story)  # they were in balance in the first epoch
    if weights:
        told = [f"{head.name} {plain(head.norms[0], 2)}" for head in story.heads if head.norms]
        found.append(
            Advice(
                says="Loss weights at which the gradients of the first epoch would have been "
                f"equally long ({listed(told)}). A start for a sweep, not its answer.",
                overrides=[*to_fixed(story), *overrides_of(weights)],
                sweep=[*to_fixed(story), *_around(weights, by_size or uneven)],
                loss_weights=weights,
            )
        )
    if not is_scale_free(story) and story.has_gradients:
        found.append(
            Advice(
                says="A method whose weighted gradient depends on no unit, and which follows the "
                "gradients as they change.",
                overrides=[f"weighting={SCALE_FREE}", *_untrained(story)],
            )
        )
    if not story.has_gradients and story.method == "fixed":
        told = [f"{head.name} {plain(head.constant)}" for head in story.heads if head.constant]
        found.append(
            Advice(
                says=f"The loss of every best constant brought to 1 ({listed(told)}).",
                overrides=["loss_weights=inverse_variance", *_untrained(story)],
            )
        )
    return [*found, *_of_units(story, causes.get("units"))]


def _around(weights: Mapping[str, float], cause: Cause | None) -> list[str]:
    """Returns a sweep around loss weights: over that of the head which held most."""
    words = overrides_of(weights)
    if cause is None:
        return words
    name = cause.heads[0]
    points = [float(f"{weights[name] * factor:.2g}") for factor in AROUND]
    swept = f"loss_weights.{name}={','.join(f'{point:g}' for point in points)}"
    return [swept if word.startswith(f"loss_weights.{name}=") else word for word in words]


def _of_units(story: Story, units: Cause | None) -> list[Advice]:
    if units is None:
        return []
    head = next(head for head in story.heads if head.name == units.heads[0])
    can_be = story.setting("data", "tasks_from", head.name, "standardize") is False
    if head.kind != "regression" or head.loss == "mae" or not can_be:
        return []
    if head.constant is None or head.constant < APART:
        return []
    return [
        Advice(
            says=f"The unit taken out of {head.name}: its best constant has a loss of "
            f"{plain(head.constant)}, and of about 1 where its targets are standardized.",
            overrides=[f"data.tasks_from.{head.name}.standardize=true", *_untrained(story)],
        )
    ]


def of_rivals(story: Story) -> list[Advice]:
    """Returns how to see what dominance cost a head that is served all the same."""
    held = story.dominance
    if held is None or not held.is_lasting or story.unserved:
        return []
    rivals = [head for head in story.heads if head.name != held.head and head.kept is not None]
    worst = max(rivals, key=lambda head: head.kept or 0, default=None)
    if worst is None or worst.kept is None or worst.kept < LITTLE:
        return []
    return [
        Advice(
            says=f"Train {worst.name} alone, to see what it lost: here it came to "
            f"{ratio(worst.kept)} of its constant's loss.",
            overrides=[*to_fixed(story), *overrides_of(alone(story, worst.name))],
        )
    ]


def alone(story: Story, head: str) -> dict[str, float]:
    """Returns the loss weights that train one head alone."""
    names = [*(each.name for each in story.heads), *story.untrained]
    return {name: float(name == head) for name in names}


def to_fixed(story: Story) -> list[str]:
    """Returns the override that puts fixed weights in a method's place; none where they are."""
    return [] if story.method == "fixed" else ["weighting=fixed"]


def _untrained(story: Story) -> list[str]:
    return overrides_of(dict.fromkeys(story.untrained, 0.0))


def is_scale_free(story: Story) -> bool:
    """Returns whether units are nothing to the method that a run was trained by."""
    return story.method.removeprefix("smoothed ") in ARE_SCALE_FREE
