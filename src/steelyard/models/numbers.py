"""Encoders for what is no text: dense layers for numbers, an embedding for categories."""

from dataclasses import dataclass

from steelyard.arrays import Array, keras
from steelyard.models.encoder import Encoder


@dataclass(frozen=True, kw_only=True)
class Dense(Encoder):
    """Dense layers over numbers.

    Attributes:
        units: Width of each layer; empty passes the numbers on as they are.
        activation: Between the layers and after the last.
    """

    units: tuple[int, ...] = (64,)
    activation: str = "relu"

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        for width in self.units:
            tensor = keras.layers.Dense(width, activation=self.activation)(tensor)
        return tensor


@dataclass(frozen=True, kw_only=True)
class Embedding(Encoder):
    """A vector for each category.

    Attributes:
        width: Of the vector.
    """

    width: int = 8

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        return keras.layers.Flatten()(keras.layers.Embedding(vocabulary, self.width)(tensor))
