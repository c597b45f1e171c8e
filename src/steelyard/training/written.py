"""A weighting written down in plain containers, as a saved model holds it, and read again."""

import importlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from steelyard.weighting.base import Weighting

HOME = "steelyard.weighting."


def write(weighting: Weighting) -> dict[str, Any]:
    """Returns a weighting's class and its knobs; a weighting among them is written likewise."""
    kind = type(weighting)
    knobs = {field.name: getattr(weighting, field.name) for field in fields(weighting)}
    return {
        "class": f"{kind.__module__}.{kind.__name__}",
        **{
            name: write(value) if isinstance(value, Weighting) else value
            for name, value in knobs.items()
        },
    }


def read(written: Mapping[str, Any]) -> Weighting:
    """Returns the weighting that was written; only this project's classes are made.

    Raises:
        ValueError: It names a class from elsewhere.
    """
    knobs = {
        name: read(value) if isinstance(value, Mapping) and "class" in value else value
        for name, value in written.items()
        if name != "class"
    }
    module, _, name = str(written["class"]).rpartition(".")
    if not module.startswith(HOME):
        raise ValueError(f"`weighting` must be a class of {HOME[:-1]}, got {written['class']!r}.")
    found: Weighting = getattr(importlib.import_module(module), name)(**knobs)
    return found
