"""Another source's examples, with the losses of heads multiplied, as a change of units would."""

import difflib
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from steelyard.arrays import Named
from steelyard.data.source import Examples, Input, Source, Split
from steelyard.task import Task

N_KEPT = 2  # held sources whose examples are kept for the next of their kind


@dataclass(frozen=True, kw_only=True)
class Rescaled(Source):
    """A source whose heads' losses are multiplied by numbers, and nothing else.

    Examples, inputs and vocabularies are those of the held source. Sources that hold equal ones
    share its examples, so that the runs of a scan read their data once.

    Attributes:
        source: The held source.
        factors: What each head's `loss_scale` is multiplied by; 1 for heads that are not named.
    """

    source: Source
    factors: Mapping[str, float]

    def __post_init__(self) -> None:
        if not isinstance(self.source, Source):
            raise ValueError(f"`source` must be a source of examples, got {self.source!r}.")
        heads = self.source.task_names
        for head, factor in self.factors.items():
            if head not in heads:
                close = difflib.get_close_matches(str(head), heads, n=1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                raise ValueError(
                    f"`factors` must name the heads {', '.join(heads)}, got {head!r}{hint}."
                )
            is_number = isinstance(factor, int | float) and not isinstance(factor, bool)
            if not (is_number and 0 < factor < math.inf):
                raise ValueError(
                    f"`factors.{head}` must be a finite positive number, got {factor!r}."
                )

    @cached_property
    def _held(self) -> "_Held":
        return _held_of(self.source)

    @property
    def task_names(self) -> tuple[str, ...]:
        return self.source.task_names

    @property
    def fingerprint(self) -> str:
        return self._held.fingerprint

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return self.source.input_kinds

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self._held.source.inputs

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(
            replace(task, loss_scale=task.loss_scale * self.factors.get(task.name, 1))
            for task in self._held.source.tasks
        )

    def load(self, split: Split) -> Examples:
        return self.splits[split]

    @cached_property
    def splits(self) -> dict[Split, Examples]:
        return self._held.source.splits

    @property
    def fitted(self) -> dict[str, Any]:
        return self._held.source.fitted

    def read_inputs(self, path: str, fitted: dict[str, Any]) -> Named:
        return self.source.read_inputs(path, fitted)


class _Held:
    """A source that several others hold, and what takes long to learn of it."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def fingerprint(self) -> str:
        return self.source.fingerprint  # which reads its files


_kept: list[_Held] = []  # the latest last; sources may hold dicts, and so are keys of none
_keeping = threading.Lock()  # runs may train beside each other


def share(source: Source) -> None:
    """Lets those who hold an equal source use this one's examples, and read none themselves."""
    _held_of(source).source = source


def _held_of(source: Source) -> _Held:
    """Returns what is known of a source, from any source that equals it."""
    with _keeping:
        found = next((each for each in _kept if each.source == source), None) or _Held(source)
        _kept[:] = [*(each for each in _kept if each is not found), found][-N_KEPT:]
        return found
