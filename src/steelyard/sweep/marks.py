"""What a study's report is told of each run beside its setting: tuned values, and a condition."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from steelyard.construct import Refused

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
