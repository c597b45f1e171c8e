"""The heads that a sweep's data have, and the points of loss weights that it asks for."""

import json
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig

from steelyard.construct import Refused, construct
from steelyard.identity import plain, source_of
from steelyard.sweep.points import HERE, Points


def heads_of(config: DictConfig) -> list[str]:
    """Returns the names of the heads that a configuration's data have.

    Raises:
        Refused: They cannot be told.
    """
    try:
        return list(source_of(json.dumps(plain(config.data))).task_names)
    except Refused:
        raise
    except ValueError as error:
        raise Refused(str(error)) from error


def points_of(node: Any) -> Points:
    """Returns the points that a configuration node describes.

    Raises:
        Refused: It describes something else, or its knobs are out of range.
    """
    target = node.get("_target_") if isinstance(node, Mapping) else node
    if not str(target).startswith(f"{Points.__module__}."):
        raise Refused(
            f"`{HERE}` must be a class of {Points.__module__} and its knobs, got {target!r}."
        )
    points: Points = construct(node)
    return points
