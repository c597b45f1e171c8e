"""Whether a run was too short or too long, by its scores on validation."""

from collections.abc import Sequence

from steelyard.analysis.explaining.epochs import column, finite
from steelyard.analysis.explaining.story import Story
from steelyard.analysis.explaining.wording import percent

STILL_FALLING = 0.01  # of a score or a loss, in the last epoch
PATIENCE = 3
N_IDLE = 4  # epochs after the best one that are worth sparing


def lengthen(story: Story) -> list[tuple[str, list[str]]]:
    """Returns what to say of the number of epochs, with the overrides that change it."""
    scores = finite(column(story.history, "valid/score"))
    kept, n_epochs = story.kept_epoch, story.n_epochs
    if story.status != "finished" or kept is None or len(scores) != n_epochs or n_epochs < 2:  # noqa: PLR2004
        return []
    fall = 1 - scores[-1] / scores[-2] if kept == n_epochs and scores[-2] > 0 else 0.0
    slow = [head for head in story.unserved if head.still_falls >= STILL_FALLING]
    if fall >= STILL_FALLING or slow:
        whose = "the score on validation" if fall >= STILL_FALLING else f"{slow[0].name}'s loss"
        fall = fall if fall >= STILL_FALLING else slow[0].still_falls
        says = f"More epochs: {whose} still fell by {percent(fall)} in the last of {n_epochs}."
        return [(says, [f"training.epochs={2 * n_epochs}"])]
    if n_epochs - kept < N_IDLE or story.setting("training", "patience") or story.unserved:
        return []  # a head that has learnt nothing yet may want the time
    stopped = _stopped(scores)
    if stopped < kept or stopped >= n_epochs:  # it would have missed the best epoch, or is no gain
        return []
    says = f"Fewer epochs: the best was {kept} of {n_epochs}; a patience of {PATIENCE} would have "
    return [(f"{says}stopped after {stopped} and lost nothing.", [f"training.patience={PATIENCE}"])]


def _stopped(scores: Sequence[float]) -> int:
    """Returns the number of epochs after which the patience would have run out."""
    best = 0
    for n, score in enumerate(scores):
        if score < scores[best] or n == 0:
            best = n
        if n - best >= PATIENCE:
            return n + 1
    return len(scores)
