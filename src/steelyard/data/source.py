"""What a source of data is: named inputs, tasks, and examples by split."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from steelyard.arrays import Named
from steelyard.task import Task

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
KINDS_OF_INPUT = ("text", "numeric", "category")
PADDING, UNKNOWN = 0, 1  # tokens that are no word


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a network.

    Attributes:
        name: The input's name.
        kind: `text` (token numbers), `numeric` or `category` (class numbers).
        shape: The shape of one example.
        dtype: The type of its numbers.
        vocabulary: How many different tokens or categories there are; 0 for numbers.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    vocabulary: int = 0


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
    def text_lengths(self) -> dict[str, int]:
        """The padded length of each text input; known without reading any data."""

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
