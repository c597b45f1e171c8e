"""Encoders for what is no text: dense layers for numbers, an embedding for categories."""

from dataclasses import dataclass

from steelyard.arrays import Array, keras
from steelyard.models.encoder import Encoder, check_sizes, layer_name


@dataclass(frozen=True, kw_only=True)
class Dense(Encoder):
    """Dense layers over numbers.

    Attributes:
        units: Width of each layer; empty passes the numbers on as they are.
        activation: Between the layers and after the last.
    """

    units: tuple[int, ...] = (64,)
    activation: str = "relu"

    def __post_init__(self) -> None:
        check_sizes(units=min(self.units, default=1))

    @property
    def width(self) -> int:
        return self.units[-1] if self.units else 0

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        part = tensor.name
        for n, width in enumerate(self.units, start=1):
            name = layer_name(part, "dense", n)
            tensor = keras.layers.Dense(width, activation=self.activation, name=name)(tensor)
        return tensor


@dataclass(frozen=True, kw_only=True)
class Embedding(Encoder):
    """A vector for each category.

    Attributes:
        units: Width of the vector.
    """

    units: int = 8

    def __post_init__(self) -> None:
        check_sizes(units=self.units)

    @property
    def width(self) -> int:
        return self.units

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        layers, part = keras.layers, tensor.name
        embedding = layers.Embedding(vocabulary, self.units, name=layer_name(part, "embedding"))
        return layers.Flatten(name=layer_name(part, "flatten"))(embedding(tensor))
