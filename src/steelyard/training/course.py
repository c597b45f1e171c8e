"""An epoch, or a look at a split, as one call into TensorFlow: traced once for all models alike."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from steelyard.arrays import Array, Named
from steelyard.data.tensors import tensors_of
from steelyard.training.weighed_model import WeighedModel

N_KEPT = 8  # makes of model whose traces are kept; each holds the variables of its first model
LOOK_BATCH = 512
N_GATHERED = 4096  # examples put in order at a time: batch by batch it costs half of a small step


class Traced:
    """A function of a model's variables, traced with one model and called with any of its make.

    What TensorFlow traces refers to variables by their handles. A call hands over the handles of
    another model's variables in their stead, so the second model costs no tracing, nor the
    fiftieth.
    """

    def __init__(
        self,
        work: Callable[..., Any],
        signature: Sequence[Any],
        variables: Sequence[keras.Variable],
    ) -> None:
        function = tf.function(
            work,
            input_signature=signature,
            autograph=False,
            # Optimized once, and not anew within whatever calls it.
            experimental_attributes={"_noinline": True},
        )
        self.concrete = function.get_concrete_function()
        owners = {id(each.value.handle): n for n, each in enumerate(variables)}
        self.captured = [owners.get(id(each), each) for each in self.concrete.captured_inputs]
        if any(not isinstance(each, int) and each.dtype == tf.resource for each in self.captured):
            raise RuntimeError("A step uses a variable that its model does not name.")

    def __call__(self, arguments: Any, variables: Sequence[keras.Variable]) -> Any:
        """Returns what the function returns for a model with these variables."""
        captured = [
            variables[each].value.handle if isinstance(each, int) else each
            for each in self.captured
        ]
        found = tf.raw_ops.StatefulPartitionedCall(
            args=[*tf.nest.flatten(arguments), *captured],
            Tout=[each.dtype for each in self.concrete.outputs],
            f=self.concrete,
        )
        return tf.nest.pack_sequence_as(self.concrete.structured_outputs, found)


class Course:
    """How models of one make are trained for an epoch, and how their heads answer."""

    def __init__(self) -> None:
        self._epoch: Traced | None = None
        self._look: Traced | None = None
        self._lock = threading.Lock()

    def train(
        self, model: WeighedModel, inputs: Named, targets: Named, order: Array, batch_size: int
    ) -> None:
        """Takes a step on each batch of the examples, in an order [N]; the last may be smaller."""
        arguments = (tensors_of(inputs), tensors_of(targets), tf.constant(order, tf.int32))
        with self._lock:
            if self._epoch is None:
                work = _epoch_of(model, batch_size)
                self._epoch = Traced(work, _signature(arguments), model.state)
        self._epoch(arguments, model.state)

    def outputs(self, network: keras.Model, inputs: Mapping[str, Array]) -> Named:
        """Returns the outputs [N, width] by head, as arrays."""
        arguments = (tensors_of(inputs),)
        with self._lock:
            if self._look is None:
                self._look = Traced(_look_of(network), _signature(arguments), network.variables)
        found = self._look(arguments, network.variables)
        return {head: each.numpy() for head, each in found.items()}


_courses: OrderedDict[str, Course] = OrderedDict()


def course_of(make: str) -> Course:
    """Returns the course for models of a make: all that a step does but the variables' values."""
    course = _courses.setdefault(make, Course())
    _courses.move_to_end(make)
    while len(_courses) > N_KEPT:
        _courses.popitem(last=False)
    return course


def _signature(arguments: Any) -> Any:
    """Returns what TensorFlow is to expect: such tensors, for any number of examples."""
    return tf.nest.map_structure(
        lambda each: tf.TensorSpec([None, *each.shape[1:]], each.dtype), arguments
    )


def _epoch_of(model: WeighedModel, batch_size: int) -> Callable[..., Array]:
    n_heap = max(N_GATHERED // batch_size, 1) * batch_size

    def epoch(inputs: Named, targets: Named, order: Array) -> Array:
        n_heaps = -(-tf.shape(order)[0] // n_heap)

        def heap(n: Array) -> Array:
            rows = order[n * n_heap : (n + 1) * n_heap]
            examples = tf.nest.map_structure(lambda each: tf.gather(each, rows), (inputs, targets))
            n_steps = -(-tf.shape(rows)[0] // batch_size)

            def step(m: Array) -> Array:
                here = slice(m * batch_size, (m + 1) * batch_size)
                model.train_step(tf.nest.map_structure(lambda each: each[here], examples))
                return m + 1

            tf.while_loop(lambda m: m < n_steps, step, [0], parallel_iterations=1)
            return n + 1

        return tf.while_loop(lambda n: n < n_heaps, heap, [0], parallel_iterations=1)[0]

    return epoch


def _look_of(network: keras.Model) -> Callable[..., Named]:
    def look(inputs: Named) -> Named:
        n_examples = tf.shape(next(iter(inputs.values())))[0]
        n_batches = -(-n_examples // LOOK_BATCH)

        def batch(n: Array, found: Named) -> tuple[Array, Named]:
            some = {
                name: each[n * LOOK_BATCH : (n + 1) * LOOK_BATCH] for name, each in inputs.items()
            }
            outputs = network(some, training=False)
            return n + 1, {head: found[head].write(n, outputs[head]) for head in found}

        begin = {
            head: tf.TensorArray(
                each.dtype, n_batches, infer_shape=False, element_shape=[None, *each.shape[1:]]
            )
            for head, each in network.output.items()
        }
        _, found = tf.while_loop(
            lambda n, _: n < n_batches, batch, [0, begin], parallel_iterations=1
        )
        return {head: each.concat() for head, each in found.items()}

    return look
