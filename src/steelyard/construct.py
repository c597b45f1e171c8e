"""Configuration is the constructor call: a node with a `_target_` becomes the thing it names."""

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

OURS = re.compile(r"(steelyard(?:\.\w+)+)\.([A-Z]\w*)")
KERAS = re.compile(
    r"keras\.(optimizers(\.schedules)?|losses|metrics|layers|regularizers|initializers)\.[A-Z]\w*"
)


class Refused(ValueError):  # noqa: N818  it is an answer, not a fault
    """A configuration, or data, that cannot be carried out; its message is one line for a user."""


def construct(node: Any) -> Any:
    """Returns what a configuration node describes, with everything in it.

    Raises:
        Refused: A target is none of ours or Keras's, or a constructor refuses its knobs.
    """
    check_targets(node)
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        raise Refused(" ".join(str(error.__cause__ or error).split())) from error


def check_targets(node: Any) -> None:
    """Refuses a node that names a class from elsewhere: configuration must not run any code.

    Raises:
        Refused: It does.
    """
    if isinstance(node, Sequence) and not isinstance(node, str):
        for value in node:
            check_targets(value)
    if not isinstance(node, Mapping):
        return
    if "_target_" in node and not _is_allowed(str(node["_target_"])):
        target = node["_target_"]
        raise Refused(f"`_target_` must be a class of steelyard or keras, got {target!r}.")
    for value in node.values():
        check_targets(value)


def _is_allowed(target: str) -> bool:
    """Returns whether a name is a class of Keras's, or one that a module of ours defines."""
    if KERAS.fullmatch(target):
        return True
    match = OURS.fullmatch(target)
    if not match:
        return False
    try:
        module = importlib.import_module(match[1])
    except ModuleNotFoundError:
        return False
    found = getattr(module, match[2], None)
    return isinstance(found, type) and found.__module__ == module.__name__


def flat(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yields a configuration's values by dotted name."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, node
