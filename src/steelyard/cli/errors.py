"""Errors that a user can cause, each told in one line."""

import difflib
import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError

from steelyard.cli.compose import conf
from steelyard.construct import Refused


def one_line(error: Exception) -> str | None:
    """Returns the line that tells a user's error; None for an error of ours."""
    if isinstance(error, Refused):
        return " ".join(str(error).split())
    if isinstance(error, OverrideParseException):
        given = error.override.removeprefix("++")
        return f"`{given}` must be an override such as key=value, got what cannot be parsed."
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        options = [str(option) for option in error.options or []]
        hint = _hint(choice, options)
        return f"`{group}` must be one of {', '.join(options)}, got {choice!r}{hint}."
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _of_hydra(error)
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return (
            f"`{mark.name}` must be YAML that can be read, got a mistake in line {mark.line + 1}: "
            f"{error.problem}."
        )
    return _of_system(error) if isinstance(error, OSError) else None


def _of_system(error: OSError) -> str | None:
    """Returns the line that tells what the system refuses; None where no file is at fault."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk must have room, got none left."
    if error.filename is None:
        return None
    return f"`{error.filename}` must be a path that can be read and written, got: {error.strerror}."


def _of_hydra(error: Exception) -> str:
    """Returns Hydra's message on one line, its key named first where it says one."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause))
        cause = cause.__cause__ or cause.__context__
    key = re.search(r"Key '[^']+' is not in struct\s+full_key: (\S+)", "\n".join(told))
    if key:
        group = key[1].partition(".")[0]
        hint = _hint(key[1], [known for known in _keys_of(group) if known != key[1]])
        return f"`{key[1]}` must be a key of the configuration, got one that is not{hint}."
    return " ".join(told[0].split())


def _keys_of(group: str) -> Iterator[str]:
    """Yields every key that the files of a group know, and the keys of a run itself."""
    yield from (path.name for path in conf().iterdir() if path.is_dir())
    for path in [*sorted((conf() / group).glob("*.yaml")), conf() / "config.yaml"]:
        lead = "" if path.stem == "config" else f"{group}."
        yield from _dotted(OmegaConf.to_container(OmegaConf.load(path), resolve=False), lead)


def _dotted(node: Any, lead: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield f"{lead}{name}"
            yield from _dotted(value, f"{lead}{name}.")


def _hint(given: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(given, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
