"""A second forward pass on the same batch, as if the first had been the only one."""

from collections.abc import Callable

import keras
import tensorflow as tf

from steelyard.arrays import Named


class Twice:
    """What a network draws from, noted before its first pass so that a second one draws the same.

    A comparison of losses before and after a step would else compare two masks of a dropout.
    """

    def __init__(self, network: keras.Model) -> None:
        layers = network._flatten_layers()
        self.drawing = [each.state for layer in layers for each in layer._seed_generators]
        self.moving = [*self.drawing, *network.non_trainable_variables]
        self.drawn = [tf.identity(each.value) for each in self.drawing]

    def again(self, forward: Callable[[], Named]) -> Named:
        """Returns the outputs of a second pass; what it moves is afterwards as it was before."""
        before = [tf.identity(each.value) for each in self.moving]
        for variable, value in zip(self.drawing, self.drawn, strict=True):
            variable.assign(value)
        outputs = forward()
        with tf.control_dependencies(list(outputs.values())):
            for variable, value in zip(self.moving, before, strict=True):
                variable.assign(value)
        return outputs
