"""Configuration is the constructor call: a node with a `_target_` becomes the thing it names."""

from collections.abc import Mapping
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

ALLOWED = ("steelyard.", "keras.")


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
    if not isinstance(node, Mapping):
        return
    target = node.get("_target_")
    if target is not None and not str(target).startswith(ALLOWED):
        raise Refused(f"`_target_` must start with {' or '.join(ALLOWED)}, got {target!r}.")
    for value in node.values():
        check_targets(value)
