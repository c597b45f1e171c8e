"""The builder: an encoder for each input, a merge, a trunk that all heads share, and the heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steelyard.arrays import Array, keras
from steelyard.models.encoder import Encoder
from steelyard.task import Task

MERGES = ("concatenate", "add")
OUTPUTS = {"regression": None, "binary": "sigmoid", "multiclass": "softmax"}  # activation by kind


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of several inputs and several heads.

    Attributes:
        encoders: By name of an input, or else by its kind (`text`, `numeric`, `category`).
        merge: How the encoded inputs meet: `concatenate`, or `add` where they are equally wide.
        trunk: Width of each dense layer that all heads share.
        activation: Of the trunk's and the heads' private layers.
        dropout: Share of the trunk's numbers dropped in training.
        heads: By name of a head, the widths of its private dense layers; none where not named.
    """

    encoders: Mapping[str, Encoder]
    merge: str = "concatenate"
    trunk: tuple[int, ...] = (128,)
    activation: str = "relu"
    dropout: float = 0.0
    heads: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ValueError(f"`merge` must be one of {', '.join(MERGES)}, got {self.merge!r}.")
        if any(width < 1 for width in self.trunk):
            raise ValueError(f"`trunk` must hold positive widths, got {list(self.trunk)}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1), got {self.dropout}.")

    def encoder_of(self, name: str, kind: str) -> Encoder:
        """Returns the encoder of an input.

        Raises:
            ValueError: The network has none for it.
        """
        encoder = self.encoders.get(name, self.encoders.get(kind))
        if encoder is None:
            raise ValueError(
                f"`model.encoders` must have an encoder for the input {name!r} or for its kind, "
                f"{kind}, got {', '.join(self.encoders)}."
            )
        return encoder

    def check(self, text_lengths: Mapping[str, int], task_names: Sequence[str]) -> None:
        """Refuses what the layers cannot take, before anything heavy is imported.

        Raises:
            ValueError: A text is padded too short, or private layers belong to no head.
        """
        for name, length in text_lengths.items():
            self.encoder_of(name, "text").check_length(name, length)
        for name in self.heads:
            if name not in task_names:
                raise ValueError(
                    f"`model.heads` must name heads ({', '.join(task_names)}), got {name!r}."
                )

    def build(self, inputs: Sequence[Any], tasks: Sequence[Task]) -> Any:
        """Returns the Keras model: inputs by name to outputs by task.

        Args:
            inputs: What the source says of each input: name, kind, shape, dtype, vocabulary.
            tasks: The heads.
        """
        self.check(
            {each.name: each.shape[0] for each in inputs if each.kind == "text"},
            [task.name for task in tasks],
        )
        tensors = {
            each.name: keras.Input(each.shape, dtype=each.dtype, name=each.name) for each in inputs
        }
        encoded = [
            self.encoder_of(each.name, each.kind).encode(tensors[each.name], each.vocabulary)
            for each in inputs
        ]
        shared = self._dense(self._merged(encoded), self.trunk)
        outputs = {task.name: self._head(shared, task) for task in tasks}
        return keras.Model(tensors, outputs)

    def _merged(self, encoded: list[Array]) -> Array:
        if len(encoded) == 1:
            return encoded[0]
        widths = [tensor.shape[-1] for tensor in encoded]
        if self.merge == "add" and len(set(widths)) > 1:
            raise ValueError(
                f"`merge` must be concatenate for unequal widths, got add of {widths}."
            )
        layer = keras.layers.Add() if self.merge == "add" else keras.layers.Concatenate()
        return layer(encoded)

    def _dense(self, tensor: Array, widths: Sequence[int]) -> Array:
        for width in widths:
            tensor = keras.layers.Dense(width, activation=self.activation)(tensor)
            if self.dropout:
                tensor = keras.layers.Dropout(self.dropout)(tensor)
        return tensor

    def _head(self, shared: Array, task: Task) -> Array:
        private = self._dense(shared, self.heads.get(task.name, ()))
        return keras.layers.Dense(task.width, activation=OUTPUTS[task.kind], name=task.name)(
            private
        )
