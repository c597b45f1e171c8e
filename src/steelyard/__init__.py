"""Weighs the losses of multi-output Keras models, so that none drowns the others."""

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

_HOMES = {  # imported when they are first used: Keras takes seconds
    "Balance": "steelyard.training.balance",
    "LazyAdam": "steelyard.training.row_optimizers",
    "RowRMSprop": "steelyard.training.row_optimizers",
    "Task": "steelyard.task",
    "WeighedModel": "steelyard.training.weighed_model",
}
_METHOD = re.compile(r"^class (\w+)\(Weighting\):", re.MULTILINE)


@cache
def homes() -> dict[str, str]:
    """Returns the module of each public name; a method's file need not be listed anywhere."""
    found = dict(_HOMES)
    for path in sorted((Path(__file__).parent / "weighting").glob("[a-z]*.py")):
        for name in _METHOD.findall(path.read_text(encoding="utf-8")):
            found[name] = f"steelyard.weighting.{path.stem}"
    return found


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(homes())
    if name not in homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(homes()[name]), name)


def __dir__() -> list[str]:
    return sorted(homes())
