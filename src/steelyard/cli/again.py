"""The command that trains a run again with something changed, as far as its record tells it."""

import re
from collections.abc import Callable, Mapping, Sequence

from steelyard.analysis.explaining.story import Story
from steelyard.cli.compose import conf

OWN = "<the overrides of the run>"
ALONE = ("hydra.sweeper.arms=[]",)  # without the sweep of the study itself
SEEDS = "seed=0,1,2"
RESCALED = {"weighting", "data"}  # with these changed, the run's own loss weights mean nothing
PLAIN = re.compile(r"[\w.,=:/@{}-]+")  # what a shell leaves alone, but for braces with commas


def again(story: Story) -> Callable[..., str]:
    """Returns what makes a command of the overrides that it is to differ by."""
    words = base(story)

    def command(overrides: Sequence[str], *, is_sweep: bool = False) -> str:
        given = {override.partition("=")[0].partition(".")[0] for override in overrides}
        if given & RESCALED:
            given.add("loss_weights")
        kept = [word for group, word in own(story).items() if group not in given]
        lead = "steelyard train -m" if is_sweep else "steelyard train"
        several = [*words[:1], *ALONE, SEEDS] if is_sweep and words != [OWN] else words
        return " ".join([lead, *map(quoted, [*several, *kept, *overrides])])

    return command


def probe(story: Story) -> str:
    """Returns the command that measures the heads of such a run anew, each alone first."""
    return " ".join(["steelyard probe", *map(quoted, base(story))])


def base(story: Story) -> list[str]:
    """Returns the words that name a run's study; a stand-in where it is of none."""
    study = str(story.record.get("study", ""))
    if not (conf() / "experiment" / f"{study}.yaml").is_file():
        return [OWN]
    return [f"experiment={study}", f"seed={story.record.get('seed', 0)}"]


def own(story: Story) -> dict[str, str]:
    """Returns the words, by group, in which a run differs from its study."""
    found: dict[str, str] = {}
    if base(story) == [OWN]:
        return found
    given = story.setting("loss_weights")
    if isinstance(given, Mapping) and dict(given) != {"rule": "equal"}:
        inner = ",".join(f"{name}:{value}" for name, value in given.items())
        found["loss_weights"] = f"loss_weights={{{inner}}}"
    if story.method != "fixed" and " " not in story.method:
        found["weighting"] = f"weighting={story.method}"
    return found


def quoted(word: str) -> str:
    """Returns a word as a shell is to be given it."""
    if word == OWN or (PLAIN.fullmatch(word) and "{" not in word):
        return word
    return f"'{word}'"
