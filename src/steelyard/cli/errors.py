"""Errors that a user can cause, each told in one line."""

import re

from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from steelyard.construct import Refused


def one_line(error: Exception) -> str | None:
    """Returns the line that tells a user's error; None for an error of ours."""
    if isinstance(error, Refused):
        return " ".join(str(error).split())
    if isinstance(error, OverrideParseException):
        return (
            f"`{error.override}` must be an override such as key=value, got what cannot be parsed."
        )
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _of_hydra(error)
    return None


def _of_hydra(error: Exception) -> str:
    """Returns Hydra's message on one line, its key named first where it says one."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause))
        cause = cause.__cause__ or cause.__context__
    whole = "\n".join(told)
    key = re.search(r"Key '([^']+)' is not in struct\s+full_key: (\S+)", whole)
    if key:
        return f"`{key[2]}` must be a key of the configuration, got a name that is not in it."
    choice = re.search(
        r"Could not find '([^']+)'\s+Available options in '([^']+)':\s+((?:.|\n)+)", whole
    )
    if choice:
        options = ", ".join(
            line.strip() for line in choice[3].splitlines() if line.startswith("\t")
        )
        name = choice[1].removeprefix(f"{choice[2]}/")
        return f"`{choice[2]}` must be one of {options}, got {name!r}."
    return " ".join(told[0].split())
