"""An image encoder: 2D convolutions, with or without pools between, and flattened."""

from dataclasses import dataclass

from steelyard.arrays import Array, keras
from steelyard.models.encoder import (
    Encoder,
    check_dropout,
    check_normalisation,
    check_sizes,
    layer_name,
    normalised,
)

ENDS = ("flatten", "average")
PADDINGS = ("valid", "same")


@dataclass(frozen=True, kw_only=True)
class Images(Encoder):
    """Convolutions over an image, each followed by a max pool where `pool` is above 1.

    Attributes:
        filters: Of each convolution.
        kernel: Pixels on a side that a filter sees.
        pool: Pixels on a side that a pool makes one; 1 for no pool.
        padding: `valid`, or `same`, which lets a convolution keep the image's size.
        end: `flatten`, or `average` over all places.
        normalisation: After each convolution: `none`, `layer` or `batch`.
        dropout: Share of the features dropped in training.
    """

    filters: tuple[int, ...] = (32, 64)
    kernel: int = 3
    pool: int = 1
    padding: str = "valid"
    end: str = "flatten"
    normalisation: str = "none"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes(kernel=self.kernel, pool=self.pool)
        if not self.filters or min(self.filters) < 1:
            raise ValueError(f"`filters` must hold positive widths, got {list(self.filters)}.")
        for knob, choices in (("end", ENDS), ("padding", PADDINGS)):
            if getattr(self, knob) not in choices:
                raise ValueError(
                    f"`{knob}` must be one of {', '.join(choices)}, got {getattr(self, knob)!r}."
                )
        check_normalisation(self.normalisation)
        check_dropout(self.dropout)

    def check_length(self, name: str, length: int) -> None:
        left, lost = length, self.kernel - 1 if self.padding == "valid" else 0
        for _ in self.filters:
            left = (left - lost) // self.pool
        if left < 1:
            raise ValueError(
                f"`{name}` must have more pixels on a side for {len(self.filters)} convolutions "
                f"and pools, got {length}."
            )

    @property
    def width(self) -> int:
        return self.filters[-1] if self.end == "average" else 0

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        layers, part = keras.layers, tensor.name
        for n, filters in enumerate(self.filters, start=1):
            convolution = layers.Conv2D(
                filters,
                self.kernel,
                padding=self.padding,
                activation="relu",
                name=layer_name(part, "convolution", n),
            )
            tensor = convolution(tensor)
            name = layer_name(part, "normalisation", n)
            tensor = normalised(tensor, self.normalisation, name)
            if self.pool > 1:
                tensor = layers.MaxPooling2D(self.pool, name=layer_name(part, "pool", n))(tensor)
        end = layers.Flatten if self.end == "flatten" else layers.GlobalAveragePooling2D
        features = end(name=layer_name(part, self.end))(tensor)
        if not self.dropout:
            return features
        return layers.Dropout(self.dropout, name=layer_name(part, "dropout"))(features)
