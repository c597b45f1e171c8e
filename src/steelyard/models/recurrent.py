"""A text encoder: a recurrent layer over embedded words, read to the last word."""

from dataclasses import dataclass

from steelyard.arrays import Array, keras
from steelyard.models.encoder import Encoder, check_dropout, check_sizes, layer_name

CELLS = ("lstm", "gru")


@dataclass(frozen=True, kw_only=True)
class Recurrent(Encoder):
    """Embedding, then an LSTM or a GRU, whose last state is the text's vector.

    Padding is masked: the state after the last word is what counts, however long the padding.

    Attributes:
        embedding: Width of a word's vector.
        units: Width of the state.
        cell: `lstm` or `gru`.
        dropout: Share of the embedded numbers, and of the vector's, dropped in training.
    """

    embedding: int = 64
    units: int = 64
    cell: str = "lstm"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes(embedding=self.embedding, units=self.units)
        if self.cell not in CELLS:
            raise ValueError(f"`cell` must be one of {', '.join(CELLS)}, got {self.cell!r}.")
        check_dropout(self.dropout)

    @property
    def width(self) -> int:
        return self.units

    def encode(self, tensor: Array, vocabulary: int) -> Array:
        layers, part = keras.layers, tensor.name
        cell = {"lstm": layers.LSTM, "gru": layers.GRU}[self.cell]
        embedding = layers.Embedding(
            vocabulary, self.embedding, mask_zero=True, name=layer_name(part, "embedding")
        )
        features = embedding(tensor)
        if self.dropout:
            features = layers.Dropout(self.dropout, name=layer_name(part, "dropout", 1))(features)
        features = cell(self.units, name=layer_name(part, self.cell))(features)
        if not self.dropout:
            return features
        return layers.Dropout(self.dropout, name=layer_name(part, "dropout", 2))(features)
