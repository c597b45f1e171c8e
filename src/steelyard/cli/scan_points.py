"""The points of a scan: what its command line asks for, and the run of each point."""

import argparse
import copy
import difflib
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig

from hydra_plugins.steelyard.jobs import configs_of
from steelyard.cli.compose import opened
from steelyard.cli.parser import Parser
from steelyard.cli.validate import validate_sweep, without_hydra
from steelyard.construct import Refused
from steelyard.data.rescaled import Rescaled
from steelyard.identity import identify, plain, source_of

WHAT = "Multiplies each head's loss by factors, and shows which methods care about units."
STUDY = "study=scan"
FACTORS = "1e-4,1e-3,1e-2,0.1,1,10,100,1e3,1e4"
OPTIONS = {"weighting": "--methods", "seed": "--seeds", "output": "--output"}  # and no overrides
RESCALED = f"{Rescaled.__module__}.{Rescaled.__name__}"


class Setting(NamedTuple):
    """A point of a scan, and the run that it asks for."""

    method: str
    seed: int
    head: str  # whose loss is multiplied; empty at factor 1
    factor: float
    config: DictConfig
    key: str

    @property
    def label(self) -> str:
        """What the run is called as it goes."""
        place = f" {self.head} x {self.factor:g}" if self.head else ""
        return f"{self.method}-{self.seed}{place}"


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Returns what a command line of `steelyard scan` asks for.

    Raises:
        Refused: An option lists what it cannot, or an override is an option's.
    """
    parser = Parser(prog="steelyard scan", description=WHAT, allow_abbrev=False)
    parser.add_argument("overrides", nargs="*", help="what is trained, as for steelyard train")
    parser.add_argument("--methods", default="fixed,nash_mtl", help="of weighting (%(default)s)")
    parser.add_argument("--factors", default=FACTORS, help="of a loss; 1 is added (%(default)s)")
    parser.add_argument("--heads", default="", help="whose losses are multiplied (all)")
    parser.add_argument("--seeds", default="0", help="two tell chance from units (%(default)s)")
    parser.add_argument("--output", default="outputs", help="where the runs are (%(default)s)")
    parser.add_argument("--config-dir", help="a folder of one's own choices")
    given = parser.parse_intermixed_args(list(arguments))
    for override in given.overrides:
        key = override.lstrip("+~").partition("=")[0]
        if key in OPTIONS:
            raise Refused(f"`{key}` must be given by {OPTIONS[key]}, got {override!r}.")
    if given.config_dir:
        given.overrides = [f"--config-dir={given.config_dir}", *given.overrides]
    given.factors = sorted({1.0, *_listed("--factors", given.factors, _factor)})
    given.seeds = _listed("--seeds", given.seeds, _seed)
    if given.factors == [1.0]:
        raise Refused("`--factors` must hold a number other than 1, got 1 alone.")
    return given


def _listed(option: str, text: str, read: Callable[[str], Any]) -> list[Any]:
    """Returns what an option lists, each once.

    Raises:
        Refused: Something cannot be read, or nothing is there.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise Refused(f"`{option}` must list something, got nothing.")
    try:
        return list(dict.fromkeys(read(word) for word in words))
    except ValueError as error:
        raise Refused(f"`{option}` must hold {error}.") from error


def _factor(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"finite positive numbers, got {word!r}")
    return value


def _seed(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise ValueError(f"whole numbers of at least 0, got {word!r}")
    return int(word)


def _one_of(known: Sequence[str]) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word in known:
            return word
        close = difflib.get_close_matches(word, known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(f"names of {', '.join(known)}, got {word!r}{hint}")

    return read


def settings_of(
    given: argparse.Namespace, whole: DictConfig, loader: ConfigLoader
) -> list[Setting]:
    """Returns the points of a scan, those of factor 1 first.

    Args:
        given: What the command line asks for.
        whole: The configuration that its overrides make, Hydra's own part included.
        loader: Hydra's.

    Raises:
        Refused: There is no such method or head, or a run cannot be carried out.
    """
    known = loader.get_group_options("weighting")
    methods = _listed("--methods", given.methods, _one_of(known))
    told = [STUDY, *(opened(each) for each in given.overrides if _is_of_run(each))]
    pairs = [(method, seed) for method in methods for seed in given.seeds]
    jobs = [[*told, f"weighting={method}", f"seed={seed}"] for method, seed in pairs]
    bases = configs_of(loader, whole, jobs)
    for base in bases:
        base.output = given.output
    validate_sweep(bases)  # of the knobs of the data: within a rescaled source none are compared
    heads = source_of(json.dumps(plain(bases[0].data))).task_names
    scaled = _listed("--heads", given.heads, _one_of(heads)) if given.heads else list(heads)
    points = [("", 1.0), *((head, each) for head in scaled for each in given.factors if each != 1)]
    settings = []
    for head, factor in points:
        for (method, seed), base in zip(pairs, bases, strict=True):
            config = _rescaled(base, head, factor) if head else base
            settings.append(Setting(method, seed, head, factor, config, _key_of(config)))
    validate_sweep([each.config for each in settings])
    return settings


def _is_of_run(override: str) -> bool:
    """Returns whether an override is of what is trained, and not of Hydra."""
    return not override.lstrip("+~").startswith(("hydra.", "hydra/", "--"))


def _rescaled(base: DictConfig, head: str, factor: float) -> DictConfig:
    """Returns a configuration with the loss of a head multiplied."""
    config = copy.deepcopy(base)
    config.data = {"_target_": RESCALED, "source": plain(base.data), "factors": {head: factor}}
    return config


def _key_of(config: DictConfig) -> str:
    settings = plain(without_hydra(config))
    return identify(settings, source_of(json.dumps(settings["data"]))).key
