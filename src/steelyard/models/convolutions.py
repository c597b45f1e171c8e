"""A text encoder: convolutions over embedded words, with pools between, and the strongest match."""

from dataclasses import dataclass

from steelyard.arrays import Array, keras
from steelyard.models.encoder import Encoder, check_dropout, check_sizes, layer_name


@dataclass(frozen=True, kw_only=True)
class Convolutions(Encoder):
    """Embedding, then stages of 1D convolutions with a max pool between two stages.

    The last stage is followed by a global max pool. At its defaults this is the text part of the
    three-head example (Chollet, Deep Learning with Python, section 7.1.3), its missing last pool
    put right.

    Attributes:
        embedding: Width of a word's vector.
        stages: The filters of each stage's convolutions.
        kernel: Words that a filter sees.
        pool: Positions that a pool makes one.
        dropout: Share of the embedded numbers dropped in training.
    """

    embedding: int = 256
    stages: tuple[tuple[int, ...], ...] = ((128,), (256, 256), (256, 256))
    kernel: int = 5
    pool: int = 5
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes(embedding=self.embedding, kernel=self.kernel, pool=self.pool)
        if not self.stages or any(not stage or min(stage) < 1 for stage in self.stages):
            raise ValueError(
                f"`stages` must hold lists of at least one positive width, got {self.stages}."
            )
        check_dropout(self.dropout)

    @property
    def shortest(self) -> int:
        """The shortest padded length that leaves a position after the last convolution."""
        length = 1
        for n, stage in enumerate(reversed(self.stages)):
            length = length * self.pool if n else length
            length += len(stage) * (self.kernel - 1)
        return length

    def check_length(self, name: str, length: int) -> None:
        if length < self.shortest:
            raise ValueError(
                f"`{name}` must be padded to at least {self.shortest} words for this network's "
                f"convolutions and pools, got {length}."
            )

    @property
    def width(self) -> int:
        return self.stages[-1][-1]

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        layers, part = keras.layers, tensor.name
        embedding = layers.Embedding(vocabulary, self.embedding, name=layer_name(part, "embedding"))
        features = embedding(tensor)
        if self.dropout:
            features = layers.Dropout(self.dropout, name=layer_name(part, "dropout"))(features)
        for n, stage in enumerate(self.stages):
            if n:
                features = layers.MaxPooling1D(self.pool, name=layer_name(part, "pool", n))(
                    features
                )
            for k, filters in enumerate(stage, start=1):
                name = layer_name(part, "convolution", n + 1, k)
                convolution = layers.Conv1D(filters, self.kernel, activation="relu", name=name)
                features = convolution(features)
        return layers.GlobalMaxPooling1D(name=layer_name(part, "strongest"))(features)
