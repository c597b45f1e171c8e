"""How much memory a run takes, estimated before it begins."""

import math

import keras

from steelyard.data.source import Source
from steelyard.models.network import Network
from steelyard.weighting.base import Weighting

BYTES = 4  # of a number
COPIES = 5  # of each parameter: itself, two moments, a gradient, the best so far
COMPARED = 3  # a head's gradient, in float64 too
PASSES = 2  # an activation, and its gradient


def bytes_of_run(source: Source, network: Network, weighting: Weighting, batch_size: int) -> int:
    """Returns about how many bytes the variables and a step of a run take at most.

    Activations are counted for the longest example and as if none were freed before the last.
    """
    model = network.build(source.inputs, source.tasks)
    # Gradients are compared in every run, for its diagnosis if not for its method.
    copies = COPIES + len(source.tasks) * (COMPARED + len(weighting.keeps))
    lengths = {each.name: each.shape[0] for each in source.inputs if each.kind == "text"}
    longest = max(lengths.values(), default=1)
    n_numbers = sum(
        math.prod(longest if size is None else size for size in output.shape[1:])
        for layer in model.layers
        for output in keras.tree.flatten(layer.output)
    )
    return BYTES * (copies * model.count_params() + PASSES * batch_size * n_numbers)
