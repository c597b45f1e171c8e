"""Weighs the losses of multi-output Keras models, so that none drowns the others."""

import importlib
from typing import Any

_HOMES = {  # imported when they are first used: Keras takes seconds
    "Balance": "steelyard.training.balance",
    "DWA": "steelyard.weighting.dwa",
    "Fixed": "steelyard.weighting.fixed",
    "NashMTL": "steelyard.weighting.nash_mtl",
    "Task": "steelyard.task",
    "Uncertainty": "steelyard.weighting.uncertainty",
    "WeighedModel": "steelyard.training.weighed_model",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
