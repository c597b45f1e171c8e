"""Which run a configuration describes: its key, its name, its tags, and what its record says."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from omegaconf import OmegaConf

from steelyard.construct import Refused, construct
from steelyard.data.source import Source
from steelyard.references import keys_of
from steelyard.tracking.run_key import BESIDE, run_key
from steelyard.tracking.tracker import Identity

SWEEP = "STEELYARD_SWEEP"  # the variable that names the sweep this process works for
EQUAL = "equal"  # the rule, and the name that reports know equal weights by


def plain(config: Any) -> dict[str, Any]:
    """Returns a configuration as plain containers, with every reference resolved."""
    found: Any = OmegaConf.to_container(config, resolve=True)
    return dict(found)


@lru_cache(maxsize=2)
def source_of(settings: str) -> Source:
    """Returns the source that settings (JSON) describe; the runs of a sweep share it."""
    node = json.loads(settings)
    source = construct(node)
    if not isinstance(source, Source):
        told = node.get("_target_") if isinstance(node, Mapping) else node
        raise Refused(f"`data._target_` must be a source of examples, got {told!r}.")
    return source


@lru_cache(maxsize=2)
def _fingerprint_of(settings: str) -> str:
    """Returns the fingerprint of the source that settings (JSON) describe; its files are read."""
    try:
        return source_of(settings).fingerprint
    except ValueError as error:
        raise Refused(str(error)) from error


def identify(settings: Mapping[str, Any], source: Source) -> Identity:
    """Returns which run a configuration describes.

    Raises:
        Refused: The files whose hashes it depends on cannot be had.
    """
    key = run_key(settings, _fingerprint_of(json.dumps(settings["data"])))
    setting = name_of_setting(settings, source.task_names)
    tags = {
        "weighting": method_of(settings["weighting"]),
        "loss_weights": label_of(settings["loss_weights"], source.task_names),
        "setting": setting,
        "seed": str(settings["seed"]),
        "git_commit": _git_commit(),
    }
    sweep = os.environ.get(SWEEP, "")
    return Identity(key, f"{setting}-{settings['seed']}", settings["study"], sweep, tags)


def name_of_setting(settings: Mapping[str, Any], heads: Sequence[str]) -> str:
    """Returns what a study compares a run as: its method, or else its loss weights, or both."""
    method = method_of(settings["weighting"])
    weights = label_of(settings["loss_weights"], heads)
    if method == "fixed":
        return weights
    return method if weights == EQUAL else f"{method} {weights}"


def method_of(weighting: Mapping[str, Any]) -> str:
    """Returns the name of a method's file; of one that holds another both: `smoothed nash_mtl`."""
    name: str = weighting["_target_"].rpartition(".")[0].rpartition(".")[2]
    held = weighting.get("method")
    return f"{name} {method_of(held)}" if isinstance(held, Mapping) else name


def label_of(loss_weights: Mapping[str, Any], heads: Sequence[str]) -> str:
    """Returns loss weights as people write them: `age=0.25 income=1`, a rule, or `age alone`.

    Numbers that are all 1 are `equal`, as is the rule of that name: they train the same network.
    """
    rule = str(loss_weights["rule"])
    named = {head: loss_weights[head] for head in heads if head in loss_weights}
    if all(named.get(head, 1 if rule == EQUAL else None) == 1 for head in heads):
        return EQUAL
    trained = [head for head in heads if named.get(head, 1) > 0]
    if len(trained) == 1 < len(heads):
        return f"{trained[0]} alone"
    numbers = " ".join(f"{head}={value:g}" for head, value in named.items())
    if not named:
        return rule
    return numbers if rule == EQUAL else f"{rule} {numbers}"


def described(identity: Identity, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a record says of a run before it begins."""
    return {
        "run_key": identity.key,
        "name": identity.name,
        "study": identity.study,
        **{name: identity.tags[name] for name in ("weighting", "setting", "git_commit")},
        "seed": settings["seed"],
        "references": keys_of(settings),
        "config": {name: value for name, value in settings.items() if name not in BESIDE},
        "machine": {"python": platform.python_version(), "processor": platform.machine()},
    }


@cache
def _git_commit() -> str:
    """Returns the commit that is checked out; empty where there is none."""
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()
