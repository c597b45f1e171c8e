"""What an encoder is: one input of a network, turned into a vector."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from steelyard.arrays import Array


@dataclass(frozen=True, kw_only=True)
class Encoder(ABC):
    """Turns one input into a vector of features."""

    def check_length(self, name: str, length: int) -> None:
        """Refuses an input [N, length] that is too short for the layers.

        Raises:
            ValueError: It is too short.
        """
        return

    @abstractmethod
    def encode(self, tensor: Array, vocabulary: int) -> Array:
        """Returns the features [N, width] of an input.

        Args:
            tensor: The input [N, ...].
            vocabulary: How many tokens or categories there are; 0 for numbers.
        """
