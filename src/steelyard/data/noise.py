"""Random examples of any shapes: for running an example as published, and for measuring speed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steelyard.data.source import KINDS_OF_INPUT, UNKNOWN, Examples, Input, Source, Split
from steelyard.task import Task, check_kind

CLASSED = ("multiclass", "multilabel")  # kinds whose width the number of classes is


@dataclass(frozen=True, kw_only=True)
class NoiseInput:
    """A random input.

    Attributes:
        kind: `text`, `numeric`, `category` or `image`.
        shape: Of one example.
        vocabulary: Different tokens or categories; 0 for numbers.
    """

    kind: str
    shape: tuple[int, ...]
    vocabulary: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS_OF_INPUT:
            raise ValueError(
                f"`kind` must be one of {', '.join(KINDS_OF_INPUT)}, got {self.kind!r}."
            )
        if not self.shape or min(self.shape) < 1:
            raise ValueError(f"`shape` must hold positive sizes, got {list(self.shape)}.")
        if self.kind == "text" and len(self.shape) != 1:
            raise ValueError(f"`shape` must be one length for a text, got {list(self.shape)}.")
        needs_words = self.kind in {"text", "category"}
        if needs_words and self.vocabulary <= UNKNOWN:
            raise ValueError(
                f"`vocabulary` must be at least 2 for a {self.kind}, got {self.vocabulary}."
            )
        if self.vocabulary and not needs_words:
            raise ValueError(f"`vocabulary` must be 0 for a {self.kind}, got {self.vocabulary}.")


@dataclass(frozen=True, kw_only=True)
class NoiseTask:
    """A head with random targets.

    Attributes:
        kind: Of the task.
        n_classes: Of a `multiclass` or `multilabel` head.
        loss: Of the head; empty for the kind's default.
    """

    kind: str
    n_classes: int = 0
    loss: str = ""

    def __post_init__(self) -> None:
        check_kind("tasks_of", self.kind, self.loss)
        if self.kind in CLASSED and self.n_classes < 2:  # noqa: PLR2004
            raise ValueError(
                f"`n_classes` must be at least 2 for a {self.kind} head, got {self.n_classes}."
            )
        if self.n_classes and self.kind not in CLASSED:
            raise ValueError(f"`n_classes` must be 0 for a {self.kind} head, got {self.n_classes}.")


@dataclass(frozen=True, kw_only=True)
class Noise(Source):
    """Examples without anything to learn: inputs and targets are drawn independently.

    Attributes:
        inputs_of: The network's inputs, by name.
        tasks_of: The heads, by name.
        n_train: Training examples; a quarter as many are held out for each other split.
        seed: With the split's name, draws the examples.
    """

    inputs_of: Mapping[str, NoiseInput]
    tasks_of: Mapping[str, NoiseTask]
    n_train: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for knob in ("inputs_of", "tasks_of"):
            if not getattr(self, knob):
                raise ValueError(f"`{knob}` must name at least one, got none.")
        if self.n_train < 4:  # noqa: PLR2004  a quarter of it is a split
            raise ValueError(f"`n_train` must be at least 4, got {self.n_train}.")
        if self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}.")

    @property
    def task_names(self) -> tuple[str, ...]:
        return tuple(self.tasks_of)

    @property
    def fingerprint(self) -> str:
        return ""  # the knobs say all

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return {each.name: (each.kind, each.length) for each in self.inputs}

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(
            Input(
                name=name,
                kind=each.kind,
                shape=tuple(each.shape),
                dtype="int32" if each.vocabulary else "float32",
                vocabulary=each.vocabulary,
            )
            for name, each in self.inputs_of.items()
        )

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(
            Task(
                name=name,
                kind=each.kind,
                loss=each.loss,
                classes=tuple(f"class_{n}" for n in range(each.n_classes)),
            )
            for name, each in self.tasks_of.items()
        )

    def load(self, split: Split) -> Examples:
        n = self.n_train if split == "train" else self.n_train // 4
        rng = np.random.default_rng([self.seed, *split.encode()])
        inputs = {
            each.name: rng.integers(1, each.vocabulary, size=(n, *each.shape)).astype("int32")
            if each.vocabulary
            else rng.random((n, *each.shape), dtype="float32")
            for each in self.inputs
        }
        return Examples(
            inputs=inputs, targets={task.name: _drawn(task, n, rng) for task in self.tasks}
        )


def _drawn(task: Task, n: int, rng: np.random.Generator) -> np.ndarray:
    """Returns random targets of a task's kind: [n], or [n, width]."""
    if task.kind == "multiclass":
        return rng.integers(task.width, size=n).astype("int32")
    shape = (n, task.width) if task.kind in {"multilabel", "box"} else (n,)
    if task.kind in {"binary", "multilabel"}:
        return rng.integers(2, size=shape).astype("float32")
    if task.kind == "box":
        return np.sort(rng.random((n, 2, 2)), axis=1).reshape(n, 4).astype("float32")
    return rng.normal(size=shape).astype("float32")
