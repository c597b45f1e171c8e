"""What a Keras user compiles for each head - losses, loss weights, metrics - by the head's name."""

import difflib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from steelyard.arrays import Array
from steelyard.weighting.base import KindOfLoss

ACCURACIES = {
    "sparse_categorical_crossentropy": "sparse_categorical_accuracy",
    "categorical_crossentropy": "categorical_accuracy",
    "binary_crossentropy": "binary_accuracy",
}


@keras.saving.register_keras_serializable(package="steelyard")
class ScaledLoss(keras.losses.Loss):
    """A loss times a constant, as a change of its unit would make it."""

    def __init__(self, loss: str, scale: float, name: str | None = None) -> None:
        super().__init__(name=name or f"scaled_{loss}")
        self.loss = loss
        self.scale = scale

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return self.scale * keras.losses.get(self.loss)(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {"loss": self.loss, "scale": self.scale, "name": self.name}


def output_names(network: keras.Model) -> tuple[str, ...]:
    """Returns the names of a network's heads."""
    outputs = network.output
    return tuple(outputs) if isinstance(outputs, Mapping) else tuple(network.output_names)


def by_head(what: str, given: Any, heads: Sequence[str]) -> dict[str, Any]:
    """Returns what is given for each head, from a dict, a list, or one thing for a single head.

    Raises:
        ValueError: It names a head that the network does not have, or is not one for each.
    """
    if isinstance(given, Mapping):
        for name in given:
            if name not in heads:
                close = difflib.get_close_matches(str(name), heads, n=1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                raise ValueError(
                    f"`{what}` must name the heads {', '.join(heads)}, got {name!r}{hint}."
                )
        return dict(given)
    if isinstance(given, list | tuple) and (len(heads) > 1 or len(given) == 1):
        if len(given) != len(heads):
            raise ValueError(
                f"`{what}` must have one entry for each of the heads {', '.join(heads)}, "
                f"got {len(given)}."
            )
        return dict(zip(heads, given, strict=True))
    if len(heads) > 1:
        raise ValueError(
            f"`{what}` must be a dict or a list with an entry for each of the heads "
            f"{', '.join(heads)}, got {given!r}."
        )
    return {heads[0]: given}


def name_of_loss(loss: Any) -> str:
    """Returns a loss's snake-case name, whether it is a string, a function or an object."""
    if isinstance(loss, ScaledLoss):
        return name_of_loss(loss.loss)
    found = keras.losses.get(loss)
    function = getattr(found, "fn", found)  # Keras's loss objects wrap their function
    return getattr(function, "__name__", type(function).__name__)


def kind_of_loss(loss: Any) -> KindOfLoss:
    """Returns which likelihood a loss belongs to."""
    name = name_of_loss(loss)
    if "entropy" in name:
        return "entropy"
    return "absolute" if name in {"mean_absolute_error", "huber"} else "squared"


def errors(loss: Any, targets: Array, outputs: Array) -> Array:
    """Returns the loss of each example [N]."""
    function = keras.losses.get(loss)
    if isinstance(function, keras.losses.Loss):
        function = function.call
    values = function(targets, outputs)
    while len(values.shape) > 1:
        values = keras.ops.mean(values, axis=-1)
    return values


def metrics_of(what: Any, loss: Any) -> list[keras.metrics.Metric]:
    """Returns the Keras metrics that a head is to be measured by."""
    named = what if isinstance(what, list | tuple) else [what] if what is not None else []
    return [_metric(each, loss) for each in named]


def _metric(what: Any, loss: Any) -> keras.metrics.Metric:
    if isinstance(what, keras.metrics.Metric):
        return what
    if what in {"accuracy", "acc"}:
        function = getattr(
            keras.metrics, ACCURACIES.get(name_of_loss(loss), "categorical_accuracy")
        )
        return keras.metrics.MeanMetricWrapper(function, name=what)
    found = keras.metrics.get(what)
    if isinstance(found, keras.metrics.Metric):  # a new one, of the same name every time
        return type(found).from_config({**found.get_config(), "name": str(what).lower()})
    return keras.metrics.MeanMetricWrapper(found, name=str(what).lower())


def check_targets(name: str, targets: Any, width: int, loss: Any) -> None:
    """Refuses targets that do not fit a head, before Keras fails in the middle of a graph.

    Raises:
        ValueError: Their shape or their classes do not fit.
    """
    targets = np.asarray(targets)
    kind = name_of_loss(loss)
    per_example = int(np.prod(targets.shape[1:], dtype=int))
    if kind == "sparse_categorical_crossentropy":
        known = targets[~np.isnan(targets.astype("float64"))]
        if per_example == 1 and len(known) and not (known.min() >= -1 and known.max() < width):
            worst = known.max() if known.max() >= width else known.min()
            raise ValueError(
                f"`{name}` must have labels from 0 to {width - 1} (-1 for missing), got {worst:g}."
            )
        if per_example == width and width > 1:
            raise ValueError(
                f"`{name}` must have whole-number labels for {kind}, got one-hot targets of shape "
                f"{targets.shape}; use categorical_crossentropy for them."
            )
        width = 1
    if per_example != width:
        hint = " (a one-hot target needs as many outputs as it has classes)" if width == 1 else ""
        raise ValueError(
            f"`{name}` must have targets of {width} number{'s' * (width > 1)} an example for its "
            f"head, got shape {targets.shape}{hint}."
        )
    known = targets[~np.isnan(targets.astype("float64"))]
    if kind == "binary_crossentropy" and len(known):
        if not (known.min() >= 0 and known.max() <= 1):
            worst = known.max() if known.max() > 1 else known.min()
            raise ValueError(f"`{name}` must have labels in [0, 1], got {worst:g}.")
        if known.size > 1 and known.min() == known.max():
            warnings.warn(
                f"`{name}` should have both labels, got {known.min():g} for every example: "
                "there is nothing to learn.",
                stacklevel=3,
            )


def check_outputs(network: keras.Model, heads: Sequence[str]) -> None:
    """Refuses a network whose heads put out more than one vector an example.

    Raises:
        ValueError: One does.
    """
    for name, output in by_head("outputs", network.output, heads).items():
        if len(output.shape) != 2:  # noqa: PLR2004  [N, width]
            raise ValueError(
                f"`{name}` must put out one vector an example, got shape {tuple(output.shape)}; "
                "is a pooling or flatten layer missing before it?"
            )


def check_inputs(network: keras.Model, inputs: Any) -> None:
    """Refuses input arrays whose number of dimensions is not the network's.

    Raises:
        ValueError: One has too few or too many.
    """
    wanted = network.inputs
    if isinstance(inputs, Mapping):
        given = [(each.name, inputs.get(each.name), each) for each in wanted]
    else:
        listed = inputs if isinstance(inputs, list | tuple) else [inputs]
        given = [(each.name, array, each) for each, array in zip(wanted, listed, strict=False)]
    for name, array, each in given:
        if array is None:
            raise ValueError(f"`{name}` must be among the inputs, got none.")
        shape = np.shape(array)
        if len(shape) != len(each.shape):
            raise ValueError(
                f"`{name}` must have shape {tuple(each.shape)} with the examples first, "
                f"got {shape}."
            )
