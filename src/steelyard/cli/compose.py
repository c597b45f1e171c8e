"""Where configuration is found, and how a command line becomes Hydra's."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from steelyard.construct import Refused

HERE = Path(__file__).parents[1]
CHECKOUT = HERE.parents[1] / "conf"
INSTALLED = HERE / "conf"
WITH_VALUE = {  # Hydra's flags that take the next word
    "--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn",
    "--config-dir", "-cd", "--info", "-i", "--experimental-rerun",
}  # fmt: skip
OWN_FOLDER = ("--config-dir", "-cd")
OPEN_KEY = re.compile(r"^(loss_weights)(\.[^.=]+)?=(.*)$", re.DOTALL)


def conf() -> Path:
    """Returns the folder of the configuration: beside the source, or inside the wheel."""
    return CHECKOUT if CHECKOUT.is_dir() else INSTALLED


def arranged(arguments: Sequence[str]) -> list[str]:
    """Returns a command line with Hydra's flags first, wherever they stood.

    Loss weights may name heads that no file names, which Hydra wants to be told by `++`.
    """
    flags: list[str] = []
    overrides: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in WITH_VALUE:
            flags += [word, *_next(words)]
        elif word.startswith("-"):
            flags.append(word)
        else:
            overrides.append(opened(word))
    return [*flags, *overrides]


def opened(override: str) -> str:
    """Returns an override with `++` before it where it sets loss weights of heads."""
    match = OPEN_KEY.match(override)
    if not match or match[2] == ".rule":
        return override
    is_mapping = match[2] is None and match[3].lstrip().startswith("{")
    return f"++{override}" if match[2] or is_mapping else override


def _next(words: Iterator[str]) -> list[str]:
    return [word for word in [next(words, None)] if word is not None]


@contextmanager
def composing() -> Iterator[Any]:
    """Lets `composed` be called; Hydra is put back as it was."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf()), version_base="1.3") as context:
        yield context
    GlobalHydra.instance().clear()


def composed(overrides: Sequence[str]) -> DictConfig:
    """Returns the configuration that overrides make, Hydra's own part included.

    `--config-dir FOLDER` among them adds a folder of one's own, as for `steelyard train`.
    """
    words, told = iter(overrides), []
    for word in words:
        flag, is_joined, folder = word.partition("=")
        if flag in OWN_FOLDER:
            given = [folder] if is_joined else _next(words)
            for each in given:
                if not Path(each).is_dir():
                    raise Refused(f"`{flag}` must be a folder that exists, got {each!r}.")
            told.append(f"hydra.searchpath={[Path(each).absolute().as_uri() for each in given]}")
        else:
            told.append(opened(word))
    return compose("config", told, return_hydra_config=True)
