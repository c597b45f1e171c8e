"""The builder: an encoder for each input, a merge, a trunk that all heads share, and the heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steelyard.arrays import Array, keras
from steelyard.models.encoder import (
    MARK,
    Encoder,
    check_dropout,
    check_normalisation,
    layer_name,
    normalised,
)
from steelyard.task import Task

MERGES = ("concatenate", "add")
TRUNK = f"shared{MARK}trunk"  # names its layers as no input's and no head's are
MASK = "not_equal"  # what Keras calls the mask of a text, and numbers; it takes no other name
OUTPUTS = {  # activation by kind
    "regression": None,
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multilabel": "sigmoid",
    "box": "sigmoid",
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of several inputs and several heads.

    Attributes:
        encoders: By name of an input, or else by its kind (`text`, `numeric`, `category`, `image`).
        merge: How the encoded inputs meet: `concatenate`, or `add` where they are equally wide.
        trunk: Width of each dense layer that all heads share.
        activation: Of the trunk's and the heads' private layers.
        dropout: Share of the trunk's and the private layers' numbers dropped in training.
        normalisation: Of the trunk's and the private layers: `none`, `layer` or `batch`.
        heads: By name of a head, the widths of its private dense layers; none where not named.
    """

    encoders: Mapping[str, Encoder]
    merge: str = "concatenate"
    trunk: tuple[int, ...] = (128,)
    activation: str = "relu"
    dropout: float = 0.0
    normalisation: str = "none"
    heads: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ValueError(f"`merge` must be one of {', '.join(MERGES)}, got {self.merge!r}.")
        for name, widths in {"trunk": self.trunk, **self.heads}.items():
            if any(width < 1 for width in widths):
                raise ValueError(f"`{name}` must hold positive widths, got {list(widths)}.")
        check_dropout(self.dropout)
        check_normalisation(self.normalisation)

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

    def check(self, input_kinds: Mapping[str, tuple[str, int]], task_names: Sequence[str]) -> None:
        """Refuses what the layers cannot take, before anything heavy is imported.

        Raises:
            ValueError: An input has no encoder or is too short for it, unequal widths are to be
                added, private layers belong to no head, or a name is that of a mask.
        """
        widths = {}
        for name, (kind, length) in input_kinds.items():
            encoder = self.encoder_of(name, kind)
            encoder.check_length(name, length)
            widths[name] = encoder.width
        self._check_merge([width for width in widths.values() if width])
        for name in (*input_kinds, *task_names):
            if name.rstrip("_0123456789") == MASK:
                raise ValueError(
                    "`inputs` and `tasks` must have other names than Keras's masks of texts, got "
                    f"{name!r}."
                )
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
            {each.name: (each.kind, each.length) for each in inputs},
            [task.name for task in tasks],
        )
        tensors = {
            # A text of another length than the table's can be read too.
            each.name: keras.Input(
                (None,) if each.kind == "text" else each.shape, dtype=each.dtype, name=each.name
            )
            for each in inputs
        }
        encoded = [
            self.encoder_of(each.name, each.kind).encode(tensors[each.name], each.vocabulary)
            for each in inputs
        ]
        shared = self._dense(self._merged(encoded), self.trunk, TRUNK)
        outputs = {task.name: self._head(shared, task) for task in tasks}
        return keras.Model(tensors, outputs)

    def _merged(self, encoded: list[Array]) -> Array:
        if len(encoded) == 1:
            return encoded[0]
        self._check_merge([tensor.shape[-1] for tensor in encoded])
        layer = keras.layers.Add if self.merge == "add" else keras.layers.Concatenate
        return layer(name=layer_name(TRUNK, self.merge))(encoded)

    def _check_merge(self, widths: Sequence[int]) -> None:
        if self.merge == "add" and len(set(widths)) > 1:
            raise ValueError(
                "`merge` must be concatenate for inputs of unequal widths, got add of "
                f"{' and '.join(map(str, widths))}."
            )

    def _dense(self, tensor: Array, widths: Sequence[int], part: str) -> Array:
        layers = keras.layers
        for n, width in enumerate(widths, start=1):
            name = layer_name(part, "dense", n)
            tensor = layers.Dense(width, activation=self.activation, name=name)(tensor)
            name = layer_name(part, "normalisation", n)
            tensor = normalised(tensor, self.normalisation, name)
            if self.dropout:
                tensor = layers.Dropout(self.dropout, name=layer_name(part, "dropout", n))(tensor)
        return tensor

    def _head(self, shared: Array, task: Task) -> Array:
        private = self._dense(shared, self.heads.get(task.name, ()), task.name)
        layer = keras.layers.Dense(
            task.width,
            activation=OUTPUTS[task.kind],
            dtype="float32",  # half a precision is too little for a chance near 0 or 1
            name=task.name,
        )
        return layer(private)
