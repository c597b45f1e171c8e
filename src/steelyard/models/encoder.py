"""What an encoder is: one input of a network, turned into a vector."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from steelyard.arrays import Array, keras

NORMALISATIONS = ("none", "layer", "batch")
MARK = ">"  # in the names of layers: TensorFlow's graphs take it, and `task.NAME` does not


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
        """Returns the features [N, width] of an input, its layers named by `layer_name`.

        Args:
            tensor: The input [N, ...], under its name.
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


def layer_name(part: str, kind: str, *numbers: int) -> str:
    """Returns a name for a layer that no input and no head can have: `story>dense_2`.

    Keras's own names can be theirs (`dense_2`), and count what else the process has built.

    Args:
        part: The input or the head that the layer is of.
        kind: What the layer does.
        numbers: Which of the part's layers of this kind it is.
    """
    return f"{part}{MARK}{'_'.join(map(str, (kind, *numbers)))}"


def normalised(tensor: Array, choice: str, name: str) -> Array:
    """Returns features [N, ..., width] normalised as a knob says, by a layer of a name."""
    if choice == "layer":
        return keras.layers.LayerNormalization(name=name)(tensor)
    return keras.layers.BatchNormalization(name=name)(tensor) if choice == "batch" else tensor
