"""Which models can take their steps on top of each other, and stay what they are alone."""

from typing import Any

import keras

from steelyard.training.balance import Balance
from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Weighting
from steelyard.weighting.fixed import Fixed

# Numbers that the widest processors compute at a time. Those left over at the end of a tensor, or
# of one of its rows, are computed otherwise, with other roundings: no model's numbers may be among
# them in one stack and not in another.
PACKET = 16
NARROW = 3  # numbers that are less than any processor's packet
LAYERS = (  # whose operations cost little more on a further axis
    keras.layers.InputLayer,
    keras.layers.Dense,
    keras.layers.LayerNormalization,
    keras.layers.Activation,
    keras.layers.Concatenate,
    keras.layers.Add,
)
# Not RMSprop: it divides by a root in one operation, whose rounding depends on a number's place.
OPTIMIZERS = (keras.optimizers.SGD, keras.optimizers.Adam)
KNOBS = ("clipnorm", "global_clipnorm", "gradient_accumulation_steps", "loss_scale_factor")


def can_be_stacked(model: WeighedModel) -> bool:
    """Returns whether such models can take their steps on top of each other."""
    weigher = model.weigher
    return are_light(weigher.weighting, weigher.balance, model.optimizer) and is_dense(
        model.network
    )


def are_light(weighting: Weighting, balance: Balance, optimizer: Any) -> bool:
    """Returns whether the weights stand still, and the optimizer works number by number."""
    return (
        isinstance(weighting, Fixed)
        and balance == Balance()
        and type(optimizer) in OPTIMIZERS
        and not any(getattr(optimizer, knob) for knob in KNOBS)
    )


def is_dense(network: keras.Model) -> bool:
    """Returns whether a network is of dense layers alone, in float32, of widths that can be."""
    return all(map(_is_plain, network.layers))


def _is_plain(layer: keras.Layer) -> bool:
    """Returns whether a layer is dense, of whole packets, and has nothing to tell the optimizer."""
    widths = [each.shape[-1] for each in layer.weights]
    is_even = all(width <= NARROW or width % PACKET == 0 for width in widths)
    settings = layer.get_config()
    bounds = [name for name in settings if name.endswith(("_regularizer", "_constraint"))]
    is_exact = layer.dtype_policy.name == "float32"
    is_known = type(layer) in LAYERS and is_exact and is_even
    return is_known and not any(settings[name] for name in bounds)
