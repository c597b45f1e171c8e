"""What a composed configuration must be, checked before anything heavy is imported."""

import difflib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from steelyard.cli.validate_optimizer import check_optimizer
from steelyard.construct import Refused, check_targets, construct
from steelyard.data.source import KINDS_OF_INPUT
from steelyard.identity import identify, plain, source_of
from steelyard.task import NAME
from steelyard.training.loss_weights import RULES

PARTS = ("weighting", "balance", "training", "tracker", "runtime", "seeds")  # built without Keras
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def validate_sweep(configs: Sequence[DictConfig]) -> None:
    """Refuses a sweep with a run that cannot be carried out, before its first run begins.

    Raises:
        Refused: One cannot, or the runs want different runtimes in one process.
    """
    runtimes = {json.dumps(plain(config.runtime), sort_keys=True) for config in configs}
    if len(runtimes) > 1:
        raise Refused(
            f"`runtime` must be the same in all runs of a process, got {len(runtimes)} different."
        )
    for config in configs:
        validate(without_hydra(config), config.hydra)


def without_hydra(config: DictConfig) -> DictConfig:
    """Returns a composed configuration without Hydra's own part."""
    return OmegaConf.masked_copy(config, [str(name) for name in config if name != "hydra"])


def validate(config: DictConfig, hydra: DictConfig) -> None:
    """Refuses a configuration that cannot be carried out.

    Args:
        config: The configuration, without Hydra's part.
        hydra: Hydra's part, which knows what was chosen and from where.

    Raises:
        Refused: A value has the wrong type or is out of range, or a head is misspelt.
    """
    try:
        settings = plain(config)
        missing = sorted(OmegaConf.missing_keys(config))
    except OmegaConfBaseException as error:
        raise Refused(" ".join(str(error).split())) from error
    if missing:
        raise Refused(f"`{missing[0]}` must be given, got nothing.")
    check_targets(settings)
    for group, choice, place in _choices(hydra):
        given = OmegaConf.select(config, place)
        for path in _files(hydra, group, choice) if given is not None else []:
            is_tree = OmegaConf.is_config(given)
            _check_types(place, _knobs(path), OmegaConf.to_container(given) if is_tree else given)
    _check_types("", {"study": "", "seed": 0, "output": ""}, settings)
    if settings["seed"] < 0:
        raise Refused(f"`seed` must be at least 0, got {settings['seed']}.")
    try:
        source = source_of(json.dumps(settings["data"]))
        check_names(source.task_names)
        check_inputs(source.input_kinds, source.task_names)
        check_optimizer(settings["optimizer"], source.input_kinds)
        check_loss_weights(settings["loss_weights"], source.task_names)
        _part(json.dumps(settings["model"])).check(source.input_kinds, source.task_names)
        parts = {part: _part(json.dumps(settings[part])) for part in PARTS}
        parts["weighting"].check(len(source.task_names))
        parts["balance"].check(parts["weighting"])
    except Refused:
        raise
    except ValueError as error:
        raise Refused(str(error)) from error
    # The code is read for the key before the first run: what is edited later is not what runs.
    identify(settings, source)


def check_names(heads: Sequence[str]) -> None:
    """Refuses names of heads that Keras or MLflow would refuse in the middle of a run.

    Raises:
        Refused: One has other characters than they take, or is the key of the rule.
    """
    for head in heads:
        if not NAME.fullmatch(head) or head == "rule":
            raise Refused(
                "`tasks_from` must name heads by letters from a to z, digits and any of _ . - "
                f"(and not `rule`), got {head!r}."
            )


def check_inputs(kinds: Mapping[str, tuple[str, int]], heads: Sequence[str]) -> None:
    """Refuses names of inputs that Keras would refuse, or that mean another encoder.

    Raises:
        Refused: One has other characters, is a head's, or is a kind that the input is not.
    """
    for name, (kind, _) in kinds.items():
        if not NAME.fullmatch(name) or name in heads:
            raise Refused(
                "`inputs_from` must name inputs by letters from a to z, digits and any of _ . - "
                f"(and not as a head), got {name!r}."
            )
        if name in KINDS_OF_INPUT and name != kind:
            raise Refused(
                f"`inputs_from` must not name a {kind} input for another kind, got {name!r}."
            )


def check_loss_weights(given: Mapping[str, Any], heads: Sequence[str]) -> None:
    """Refuses loss weights that no network with these heads can be trained on.

    Raises:
        Refused: A head is misspelt, a weight is missing, negative or infinite, or all are 0.
    """
    if given["rule"] not in RULES:
        raise Refused(
            f"`loss_weights.rule` must be one of {', '.join(RULES)}, got {given['rule']!r}."
        )
    for head, weight in given.items():
        if head == "rule":
            continue
        if head not in heads:
            close = difflib.get_close_matches(head, heads, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise Refused(
                f"`loss_weights` must name the heads {', '.join(heads)}, got {head!r}{hint}."
            )
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not (is_number and math.isfinite(weight) and weight >= 0):
            raise Refused(
                f"`loss_weights.{head}` must be a finite number of at least 0, got {weight!r}."
            )
    if all(given.get(head, 1) == 0 for head in heads):
        raise Refused("`loss_weights` must not all be 0, got 0 for every head.")


def _check_types(name: str, wanted: Any, given: Any) -> None:
    """Refuses a value whose type is not its default's.

    A default of null takes anything; an empty dict takes any keys.
    """
    if wanted is None or wanted == "???":
        return
    if isinstance(wanted, Mapping):
        if not isinstance(given, Mapping):
            raise Refused(f"`{name}` must be a mapping, got {given!r}.")
        for key, default in wanted.items():
            if key in given:
                _check_types(f"{name}.{key}" if name else key, default, given[key])
        return
    if isinstance(wanted, list):
        if not isinstance(given, list):
            raise Refused(f"`{name}` must be a list, got {given!r}.")
        for n, value in enumerate(given):
            if wanted:
                _check_types(f"{name}[{n}]", wanted[0], value)
        return
    kind = type(wanted)
    fits = isinstance(given, kind) and isinstance(given, bool) == (kind is bool)
    fits = fits or (kind is float and isinstance(given, int) and not isinstance(given, bool))
    if not fits:
        raise Refused(f"`{name}` must be {KINDS[kind]}, got {given!r}.")
    if isinstance(given, float) and not math.isfinite(given):
        raise Refused(f"`{name}` must be a finite number, got {given}.")


def _choices(hydra: DictConfig) -> Iterator[tuple[str, str, str]]:
    """Yields each group, what was chosen of it, and where in the configuration that stands."""
    for name, choice in hydra.runtime.choices.items():
        group, _, place = str(name).partition("@")
        if choice and "/" not in group and group != "experiment":
            yield group, str(choice), place or group


def _files(hydra: DictConfig, group: str, choice: str) -> list[Path]:
    """Returns the files of a choice, in the folders that Hydra searches."""
    sources = [each.path for each in hydra.runtime.config_sources if each.schema == "file"]
    paths = [Path(folder) / group / f"{choice}.yaml" for folder in sources]
    return [path for path in paths if _is_file(path)]


@cache
def _knobs(path: Path) -> dict[str, Any]:
    """Returns what a file of a choice holds."""
    loaded = OmegaConf.load(path)
    if not OmegaConf.is_dict(loaded):
        raise Refused(f"`{path}` must hold keys and values, got a list.")
    return {name: value for name, value in plain(loaded).items() if name != "defaults"}


@lru_cache(maxsize=256)
def _part(settings: str) -> Any:
    """Returns what settings (JSON) describe: many runs of a sweep have it alike."""
    return construct(json.loads(settings))


@cache
def _is_file(path: Path) -> bool:
    return path.is_file()
