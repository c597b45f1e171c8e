"""A text encoder: the mean of the embedded words, whatever their order."""

from dataclasses import dataclass

from steelyard.arrays import Array, keras
from steelyard.models.encoder import Encoder, check_dropout, check_sizes, layer_name


@dataclass(frozen=True, kw_only=True)
class Average(Encoder):
    """Embedding, and the mean over the words of a text; padding counts for nothing.

    The cheapest text encoder, and where single words tell most, the best (joulin2017bag).

    Attributes:
        embedding: Width of a word's vector.
        dropout: Share of the embedded numbers dropped in training.
    """

    embedding: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes(embedding=self.embedding)
        check_dropout(self.dropout)

    @property
    def width(self) -> int:
        return self.embedding

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        layers, part = keras.layers, tensor.name
        embedding = layers.Embedding(
            vocabulary, self.embedding, mask_zero=True, name=layer_name(part, "embedding")
        )
        features = embedding(tensor)
        if self.dropout:
            features = layers.Dropout(self.dropout, name=layer_name(part, "dropout"))(features)
        return layers.GlobalAveragePooling1D(name=layer_name(part, "average"))(features)
