"""What a source of data is: named inputs, tasks, and examples by split."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

from steelyard.arrays import Named
from steelyard.task import Task

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
KINDS_OF_INPUT = ("text", "numeric", "category", "image")
PADDING, UNKNOWN = 0, 1  # tokens that are no word


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a network.

    Attributes:
        name: The input's name.
        kind: `text` (token numbers), `numeric`, `category` (class numbers) or `image`.
        shape: The shape of one example.
        dtype: The type of its numbers.
        vocabulary: How many different tokens or categories there are; 0 for numbers.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    vocabulary: int = 0

    @property
    def length(self) -> int:
        """Words of a padded text, or pixels on the shorter side of an image; else 0."""
        sides = {"text": self.shape[:1], "image": self.shape[:2]}.get(self.kind, ())
        return min(sides, default=0)


class Examples(NamedTuple):
    """Examples of a split, as arrays by name: inputs [N, ...] and targets [N]."""

    inputs: Named
    targets: Named


class Source(ABC):
    """Where examples come from.

    Splits are disjoint and seeded; vocabulary and scaling are fitted on `train` alone.
    """

    @property
    @abstractmethod
    def task_names(self) -> tuple[str, ...]:
        """The heads' names; known without reading any data."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """What the examples depend on beside the knobs and the code: the files' hashes."""

    @property
    @abstractmethod
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        """The kind and the length of each input, as `Input` has them; known without any data."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[Input, ...]:
        """The inputs of the network."""

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """The heads of the network."""

    @abstractmethod
    def load(self, split: Split) -> Examples:
        """Returns the examples of a split."""

    @cached_property
    def splits(self) -> dict[Split, Examples]:
        """The examples of all splits: the same arrays for every run of this source."""
        return {split: self.load(split) for split in SPLITS}

    @property
    def fitted(self) -> dict[str, Any]:
        """What was learnt of `train` to read the inputs, by input, as JSON can hold it."""
        return {}

    def read_inputs(self, path: str, fitted: dict[str, Any]) -> Named:
        """Returns the inputs of new examples, read as those of `train` were.

        Args:
            path: Of their file.
            fitted: What was learnt when the network was trained.

        Raises:
            ValueError: The file does not hold them, or this source reads no files.
        """
        raise ValueError(
            f"`{path}` must be a .npz file with the network's own inputs by name, for "
            f"{type(self).__name__} reads no other, got {path!r}."
        )
