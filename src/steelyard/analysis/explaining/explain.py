"""Who dominated a finished run and when, why, and what would help: from its record alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steelyard.analysis.explaining.advice import advice
from steelyard.analysis.explaining.broken import broken_heads
from steelyard.analysis.explaining.causes import causes
from steelyard.analysis.explaining.epochs import Row
from steelyard.analysis.explaining.findings import Advice, Cause
from steelyard.analysis.explaining.story import Dominance, Story, story_of
from steelyard.analysis.explaining.told import Head
from steelyard.analysis.explaining.wording import listed, percent, ratio, spans


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a run's record says of why it went as it did.

    Attributes:
        verdict: One sentence.
        story: The numbers.
        causes: Why, what weighs most first.
        advice: What would help.
        unknown: What cannot be told, a sentence each.
    """

    verdict: str
    story: Story
    causes: list[Cause]
    advice: list[Advice]
    unknown: list[str]


def explain(
    record: Mapping[str, Any], history: Sequence[Row], tasks: Iterable[Mapping[str, Any]] = ()
) -> Explanation:
    """Returns who dominated a run, why, and what would help.

    Args:
        record: Of a run that finished, diverged or failed.
        history: Its epochs; may be empty.
        tasks: Its heads' tasks, as `fitted.json` keeps them; may be empty.
    """
    story = story_of(record, history, tasks)
    found = causes(story)
    return Explanation(
        verdict=verdict(story),
        story=story,
        causes=found,
        advice=advice(story, found),
        unknown=unknown(story),
    )


def verdict(story: Story) -> str:
    """Returns what became of the run, in one sentence."""
    if story.status == "failed":
        epochs = f"after {story.n_epochs} epochs" if story.n_epochs else "before an epoch was kept"
        return f"The run failed, {epochs}: {story.record.get('error', 'no reason is recorded')}"
    if story.status == "diverged":
        return _diverged(story)
    if len(story.heads) == 1:
        return _alone(story.heads[0])
    if story.is_unshared:
        return f"No layer is shared by two heads, so none could dominate; {_outcome(story)}"
    held = story.dominance
    if held is None or not held.is_lasting:
        return _undominated(story, held)
    return _dominated(story, held)


def _diverged(story: Story) -> str:
    epochs = broken_heads(story)
    if not epochs:
        return "The run diverged: the sum of its losses was not finite."
    first = min(epochs.values())
    heads = [head for head, epoch in epochs.items() if epoch == first]
    says = f"The run diverged in epoch {first}: the loss of {listed(heads)} was not finite"
    held = story.dominance
    if held is not None and first > 1 and held.epochs[0] < first:
        says += f", after {held.head} had held {percent(held.share)} of the {_of(held)}"
    return f"{says}."


def _alone(head: Head) -> str:
    says = f"{head.name} was trained alone, so there was nothing to balance"
    if head.kept is None:
        return f"{says}; whether it beat a constant guess cannot be told."
    is_below = "it got to" if head.is_served else "it did not get clearly below a constant guess:"
    return f"{says}; {is_below} {ratio(head.kept)} of the loss of its best constant."


def _undominated(story: Story, held: Dominance | None) -> str:
    if not story.has_gradients:
        return f"Who held the gradient cannot be told; {_outcome(story)}"
    early = ""
    if held is not None:
        early = (
            f" ({held.head} held over {percent(held.most)} in {spans(held.epochs, held.n_epochs)})"
        )
    largest = max(story.heads, key=lambda head: head.share or 0)
    says = (
        f"no head dominated{early}: the largest mean share of the gradient was {largest.name}'s, "
        f"{percent(largest.share or 0)}"
    )
    if story.unserved or story.untold:
        return f"{says[0].upper()}{says[1:]}; {_outcome(story)}"
    return f"Nothing wrong with the balance: {_outcome(story)[:-1]}, and {says}."


def _dominated(story: Story, held: Dominance) -> str:
    when = spans(held.epochs, held.n_epochs)
    says = f"{held.head} held {percent(held.share)} of the {_of(held)}"
    if len(held.epochs) < held.n_epochs:
        says += f", and over {percent(held.most)} in {when}"
    else:
        says += f" over {when}" if held.n_epochs > 1 else ""
    lost = [head.name for head in story.unserved]
    others = [head for head in story.unserved if head.name != held.head]
    left = f"; {_untold(story)}" if story.untold else ""
    if others:
        itself = f", nor is {held.head} in the epoch that was kept" if held.head in lost else ""
        return f"{says}: {_unserved(others)}{itself}{left}."
    if story.unserved:
        return f"{says}, and yet {_unserved(story.unserved)}{left}."
    return f"{says}; {'' if left else 'even so, '}{_outcome(story)}"


def _outcome(story: Story) -> str:
    """Returns which heads got below their constants, and which cannot be told, with a full stop."""
    told = []
    if story.unserved:
        told.append(_unserved(story.unserved))
    elif len(story.untold) < len(story.heads):
        told.append(_served(story))
    if story.untold or not told:
        told.append(_untold(story))
    return f"{'; '.join(told)}."


def _served(story: Story) -> str:
    known = [(head.kept, head.name) for head in story.heads if head.kept is not None]
    worst, name = max(known)
    whose = "its" if len(known) == 1 or not story.untold else "their"
    names = listed([each for _, each in known]) if story.untold else "every head"
    which = "" if len(known) == 1 else f"the worst, {name}, "
    return f"{names} got below {whose} best constant guess ({which}to {ratio(worst)} of its loss)"


def _untold(story: Story) -> str:
    names = listed([head.name for head in story.untold])
    whose = "the heads" if len(story.untold) == len(story.heads) else names
    return f"whether {whose} beat a constant guess cannot be told"


def _unserved(heads: Sequence[Head]) -> str:
    names = listed([head.name for head in heads])
    if not any(head.was_served for head in heads):
        return f"{names} never got clearly below a constant guess"
    verb = "were" if len(heads) > 1 else "was"
    return f"{names} {verb} not clearly below a constant guess in the epoch that was kept"


def _of(held: Dominance) -> str:
    if held.of == "gradient":
        return "gradient of the shared layers"
    return "weighted loss (gradients were not recorded)"


def unknown(story: Story) -> list[str]:
    """Returns what the record does not tell, a sentence each."""
    found = []
    if story.status == "failed" and not story.history:
        return ["The record of a failed run keeps no epochs: nothing can be told of its heads."]
    is_shared = len(story.heads) > 1 and not story.is_unshared
    if is_shared and not story.has_gradients:
        why = (
            "its diagnosis was off"
            if story.setting("training", "diagnose_every") == 0
            else "it is of an earlier version, or no layer is shared"
        )
        found.append(f"No gradients are recorded ({why}): neither shares nor conflict can be told.")
    if any(head.kept is not None and not head.has_valid_constant for head in story.heads):
        found.append("The best constants are judged on train, as the record lacks validation's.")
    untold = [head.name for head in story.untold]
    if untold and story.status == "finished":  # its loss is known then
        found.append(
            f"Of {listed(untold)} no best constant with a loss above 0 is recorded, so whether a "
            "constant guess was beaten cannot be told."
        )
    if story.untrained:
        found.append(f"Not trained, by a loss weight of 0: {listed(story.untrained)}.")
    return found
