"""What a study's report is told of each run beside its setting: tuned values, and a condition."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from steelyard.construct import Refused
from steelyard.identity import name_of_setting, plain
from steelyard.sweep.heads import heads_of
from steelyard.tracking.run_key import BESIDE

TUNED, ACROSS = "hydra.sweeper.tuned", "hydra.sweeper.across"


def check_marks(tuned: Any, across: Any, jobs: Sequence[Sequence[str]]) -> None:
    """Refuses keys to tune, or to go across, that are the same in all runs of a sweep.

    Args:
        tuned: Keys of which a report takes the best value of each setting.
        across: The key of which a report compares the values; None for no such.
        jobs: The overrides of each run.

    Raises:
        Refused: One is.
    """
    if not isinstance(tuned, Sequence) or isinstance(tuned, str):
        raise Refused(f"`{TUNED}` must be a list of keys, got {tuned!r}.")
    named = [(TUNED, key) for key in tuned]
    if across is not None:
        named.append((ACROSS, across))
    if not named:
        return
    swept = swept_keys(jobs)
    for name, key in named:
        if key not in swept:
            close = difflib.get_close_matches(str(key), swept, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            keys = ", ".join(swept) or "none here"
            raise Refused(f"`{name}` must name what the sweep varies ({keys}), got {key!r}{hint}.")


def swept_keys(jobs: Sequence[Sequence[str]]) -> list[str]:
    """Returns the keys that have several values in a sweep, or one in some runs and none in others.

    Args:
        jobs: The overrides of each run.
    """
    told = [dict(_key_and_value(each) for each in job) for job in jobs]
    keys = dict.fromkeys(key for each in told for key in each)
    return [key for key in keys if len({each.get(key) for each in told}) > 1]


def marks_of(tuned: Sequence[str], across: str | None, config: DictConfig) -> dict[str, Any]:
    """Returns what a plan says of a run: `tuned` and `across`, where they are asked for.

    A group's value is the name of its choice; a key that a run has not is null.

    Args:
        tuned: Keys.
        across: A key, or None.
        config: The run's configuration, with Hydra's part.
    """
    marks: dict[str, Any] = {}
    if tuned:
        marks["tuned"] = {key: _value_of(config, key) for key in tuned}
    if across is not None:
        marks["across"] = _value_of(config, across)
    return marks


def words_of(marks: Mapping[str, Any]) -> dict[str, str]:
    """Returns what a plan says of a run, in the words of a study's tables."""
    found = {}
    if "tuned" in marks:
        pairs = marks["tuned"].items()
        found["tuned"] = " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in pairs)
    if "across" in marks:
        found["across"] = str(marks["across"])
    return found


def is_study(arguments: Sequence[str], config: DictConfig) -> bool:
    """Returns whether a sweep is of a study as its file has it, whose plan lists the same runs.

    Args:
        arguments: Of the command line.
        config: The configuration of the sweep, with Hydra's part.
    """
    given = {key.partition(".")[0] for key in keys_of(arguments)}
    others = keys_of(config.hydra.overrides.hydra)
    is_changed = any(key.startswith(("hydra.sweeper", "hydra/sweeper")) for key in others)
    has_file = bool(config.hydra.runtime.choices.get("experiment"))
    return has_file and given <= {"experiment", *BESIDE} and not is_changed


def check_apart(
    tuned: Sequence[str],
    across: str | None,
    jobs: Sequence[Sequence[str]],
    configs: Sequence[DictConfig],
) -> None:
    """Refuses a study in which two runs would be taken for one.

    Args:
        tuned: Keys of which a report takes the best value of each setting.
        across: The key of which a report compares the values; None for no such.
        jobs: The overrides of each run.
        configs: The configuration of each run, with Hydra's part.

    Raises:
        Refused: Two runs have one setting, seed, tuned value and condition.
    """
    seen: dict[tuple[Any, ...], Sequence[str]] = {}
    for job, config in zip(jobs, configs, strict=True):
        settings = {name: plain(config[name]) for name in ("weighting", "loss_weights")}
        setting = name_of_setting(settings, heads_of(config))
        words = words_of(marks_of(tuned, across, config))
        other = seen.setdefault((setting, config.seed, *words.items()), job)
        if other is not job:
            one, two = _differing(other, job)
            told = " ".join([f"{setting}-{config.seed}", *words.values()])
            raise Refused(
                f"`hydra.sweeper` must tell the runs of a study apart, got {told} of both {one!r} "
                f"and {two!r}; leave one out, or put what differs into `{TUNED}` or `{ACROSS}`."
            )


def _differing(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Returns the overrides in which two runs differ; all of them where they differ in order."""
    if set(one) == set(other):
        return [" ".join(one), " ".join(other)]
    pairs = ((one, other), (other, one))
    return [" ".join(each for each in job if each not in rest) for job, rest in pairs]


def _value_of(config: DictConfig, key: str) -> Any:
    choices: Mapping[str, Any] = config.hydra.runtime.choices
    if key in choices:
        return choices[key]
    found = OmegaConf.select(config, key)
    return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found


def _key_and_value(override: str) -> tuple[str, str]:
    key, _, value = override.partition("=")
    return key.lstrip("+~"), value


def setting_of(job: Sequence[str]) -> str:
    """Returns what names the setting of a run: its overrides without the seed's."""
    return json.dumps([each for each in job if _key_and_value(each)[0] != "seed"])


def keys_of(job: Sequence[str]) -> list[str]:
    """Returns the keys that a run's overrides name."""
    return [_key_and_value(each)[0] for each in job]
