"""What an encoder is: one input of a network, turned into a vector."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from steelyard.arrays import Array, keras

NORMALISATIONS = ("none", "layer", "batch")


@dataclass(frozen=True, kw_only=True)
class Encoder(ABC):
    """Turns one input into a vector of features."""

    def check_length(self, name: str, length: int) -> None:
        """Refuses a text of so many words, or an image of so many pixels, too small for the layers.

        Raises:
            ValueError: It is too short.
        """
        return

    @property
    def width(self) -> int:
        """How many features come out; 0 where the input decides."""
        return 0

    @abstractmethod
    def encode(self, tensor: Array, vocabulary: int) -> Array:
        """Returns the features [N, width] of an input.

        Args:
            tensor: The input [N, ...].
            vocabulary: How many tokens or categories there are; 0 for numbers.
        """


def check_dropout(value: float) -> None:
    """Refuses a share that cannot be dropped.

    Raises:
        ValueError: It is below 0, or leaves nothing.
    """
    if not 0 <= value < 1:
        raise ValueError(f"`dropout` must be in [0, 1), got {value}.")


def check_normalisation(name: str) -> None:
    """Refuses a normalisation that there is not.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in NORMALISATIONS:
        raise ValueError(
            f"`normalisation` must be one of {', '.join(NORMALISATIONS)}, got {name!r}."
        )


def check_sizes(**sizes: int) -> None:
    """Refuses sizes below 1.

    Raises:
        ValueError: One is.
    """
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"`{name}` must be at least 1, got {size}.")


def normalised(tensor: Array, name: str) -> Array:
    """Returns features [N, ..., width] normalised as a knob says."""
    if name == "layer":
        return keras.layers.LayerNormalization()(tensor)
    return keras.layers.BatchNormalization()(tensor) if name == "batch" else tensor
