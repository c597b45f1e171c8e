"""Names for the arrays that cross a room's door, and the one lazy door to Keras."""

import importlib
from typing import Any

# Shapes are written with N (examples), K (tasks) and P (parameters that tasks share).
Array = Any  # NumPy's or a backend's: both must pass
Losses = Any  # [K]
Weights = Any  # [K]
Gramian = Any  # [K, K]
Named = dict[str, Any]  # arrays by name


class Door:
    """A module that is imported when it is first used.

    Keras takes seconds to import, and a knob, a task or a source needs none of it to be checked.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


keras = Door("keras")
ops = Door("keras.ops")
