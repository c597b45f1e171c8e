"""Where the heads of a network part: what its graph of layers says of sharing."""

from collections.abc import Sequence
from typing import Any

import keras

from steelyard.arrays import Array
from steelyard.training.heads import by_head

Operation = Any  # Keras's: a layer, or an operation on tensors
Reached = dict[Operation, frozenset[str]]  # the heads downstream of each operation


def heads_reached(network: keras.Model, heads: Sequence[str]) -> Reached:
    """Returns the heads to which the output of each operation of a functional network goes.

    Raises:
        ValueError: The network is not functional, so that its graph cannot be told.
    """
    if not hasattr(network, "operations"):
        raise ValueError(
            "`on` must be `shared` for a network that is not functional, got one of "
            f"{type(network).__name__}."
        )
    found: Reached = {}
    waiting = [(tensor, head) for head, tensor in by_head("outputs", network.output, heads).items()]
    while waiting:
        tensor, head = waiting.pop()
        operation = _maker(tensor)
        before = found.get(operation, frozenset())
        if head not in before:
            found[operation] = before | {head}
            waiting += [(given, head) for given in _inputs(operation, network)]
    return found


def _maker(tensor: Array) -> Operation:
    return tensor._keras_history.operation


def _inputs(operation: Operation, network: keras.Model) -> list[Array]:
    """Returns the tensors that an operation reads in this network; it may stand in others too."""
    known = {id(node) for level in network._nodes_by_depth.values() for node in level}
    nodes = [node for node in operation._inbound_nodes if id(node) in known]
    return [tensor for node in nodes for tensor in node.input_tensors]


def last_shared(network: keras.Model, heads: Sequence[str]) -> list[keras.Variable]:
    """Returns the parameters of the last layer that has any and that most heads share.

    Of the layers that two heads or more share, those with the most heads count; the last of them.
    """
    reached = heads_reached(network, heads)
    layers = [
        layer
        for layer in network.layers
        if layer.trainable_variables and len(reached.get(layer, ())) > 1
    ]
    if not layers:
        return []
    most = max(len(reached[layer]) for layer in layers)
    chosen = [layer for layer in layers if len(reached[layer]) == most][-1]
    return list(chosen.trainable_variables)


def n_shared_parameters(network: keras.Model, heads: Sequence[str]) -> int:
    """Returns how many parameters are in layers whose output two heads use, or more."""
    reached = heads_reached(network, heads)
    shared = [layer for layer in network.layers if len(reached.get(layer, ())) > 1]
    return sum(layer.count_params() for layer in shared)


def crossings(network: keras.Model, heads: Sequence[str]) -> list[Array]:
    """Returns the outputs of shared layers that a layer of one head alone reads, or that are one's.

    An input of the network is none: no parameter comes before it. Nor is one that lies behind
    another: a head that goes through both would count twice.
    """
    reached = heads_reached(network, heads)
    private = [each for each in network.operations if len(reached.get(each, ())) == 1]
    read = [tensor for operation in private for tensor in _inputs(operation, network)]
    found: list[Array] = []
    for tensor in [*read, *network.outputs]:
        maker = _maker(tensor)
        is_shared = len(reached.get(maker, ())) > 1
        is_input = isinstance(maker, keras.layers.InputLayer)
        if is_shared and not is_input and all(tensor is not each for each in found):
            found.append(tensor)
    return [each for each in found if not _is_behind(each, found, network)]


def _is_behind(tensor: Array, others: Sequence[Array], network: keras.Model) -> bool:
    """Returns whether a tensor is made of one of the others."""
    makers = {_maker(each) for each in others if each is not tensor}
    waiting, seen = _inputs(_maker(tensor), network), set()
    while waiting:
        maker = _maker(waiting.pop())
        if maker in makers:
            return True
        if maker not in seen:
            seen.add(maker)
            waiting += _inputs(maker, network)
    return False
