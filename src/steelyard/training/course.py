"""An epoch, or a look at a split, as one call into TensorFlow: traced once for all models alike."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from steelyard.arrays import Array, Named
from steelyard.data.tensors import tensors_of
from steelyard.training.stack import LEAST, Stack, portions, rounded_up
from steelyard.training.stackable import can_be_stacked
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
        self._stacked: dict[int, Traced] = {}  # by the size of the stack
        self._hand_back: Traced | None = None
        self._lock = threading.Lock()

    def train(
        self, model: WeighedModel, inputs: Named, targets: Named, order: Array, batch_size: int
    ) -> None:
        """Takes a step on each batch of the examples, in an order [N]; the last may be smaller."""
        examples = (tensors_of(inputs), tensors_of(targets))
        with self._lock:
            if self._epoch is None:
                work = _epoch_of(model.begin_epoch, model.train_step, model.end_epoch, batch_size)
                signature = (*_any_number(examples), tf.TensorSpec([None], tf.int32))
                self._epoch = Traced(work, signature, model.state)
        self._epoch((*examples, tf.constant(order, tf.int32)), model.state)

    def stack(self, pattern: WeighedModel, size: int) -> Stack | None:
        """Returns room for so many models like one of the make; None where they go one by one."""
        return Stack(pattern, max(size, LEAST)) if can_be_stacked(pattern) else None

    def train_stack(
        self,
        stack: Stack,
        models: Sequence[WeighedModel],
        inputs: Named,
        targets: Named,
        orders: Sequence[Array],
        batch_size: int,
    ) -> None:
        """Takes the steps of an epoch of several models at once, each in an order [N] of its own.

        Args:
            stack: Room for the models.
            models: As many as there is room for, or fewer.
            inputs: The examples.
            targets: Of the examples.
            orders: The order of the examples for each model.
            batch_size: Examples a step.
        """
        filled = [*orders, *[orders[0]] * (stack.size - len(orders))]
        rows, is_counted = portions(filled, batch_size)
        examples = (tensors_of(inputs), tensors_of(targets))
        with self._lock:
            if stack.size not in self._stacked:
                size = rounded_up(batch_size)
                work = _epoch_of(stack.begin_epoch, stack.step, stack.end_epoch, size)
                order = tf.TensorSpec([stack.size, None], tf.int32)
                signature = (*_any_number(examples), order, tf.TensorSpec([None], tf.float32))
                self._stacked[stack.size] = Traced(work, signature, stack.variables)
            if self._hand_back is None:
                moved = [*stack.variables, *stack.twins(models[0])]
                work = stack.hand_back_to(models[0])
                self._hand_back = Traced(work, [tf.TensorSpec([], tf.int32)], moved)
        stack.lay(models)
        arguments = (*examples, tf.constant(rows), tf.constant(is_counted))
        self._stacked[stack.size](arguments, stack.variables)
        for n, model in enumerate(models):
            self._hand_back([tf.constant(n)], [*stack.variables, *stack.twins(model)])

    def outputs(self, network: keras.Model, inputs: Mapping[str, Array]) -> Named:
        """Returns the outputs [N, width] by head, as arrays."""
        arguments = (tensors_of(inputs),)
        with self._lock:
            if self._look is None:
                self._look = Traced(_look_of(network), _any_number(arguments), network.variables)
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


def _any_number(examples: Any) -> Any:
    """Returns what TensorFlow is to expect: such tensors, for any number of examples."""
    return tf.nest.map_structure(
        lambda each: tf.TensorSpec([None, *each.shape[1:]], each.dtype), examples
    )


def _epoch_of(
    begin: Callable[[], None],
    take_step: Callable[..., Any],
    end: Callable[[], None],
    batch_size: int,
) -> Callable[..., Array]:
    """Returns what takes an epoch's steps, in an order [N] or in several [R, N].

    What stands beside the order [N] is handed on in the same portions.
    """

    def epoch(inputs: Named, targets: Named, order: Array, *beside: Array) -> Array:
        n_models = order.shape[0] if len(order.shape) > 1 else 1
        n_heap = max(N_GATHERED // (batch_size * n_models), 1) * batch_size
        before = (slice(None),) * (len(order.shape) - 1)
        n_heaps = -(-tf.shape(order)[-1] // n_heap)
        begin()

        def heap(n: Array) -> Array:
            rows = order[..., n * n_heap : (n + 1) * n_heap]
            examples = tf.nest.map_structure(lambda each: tf.gather(each, rows), (inputs, targets))
            n_steps = -(-tf.shape(rows)[-1] // batch_size)

            def step(m: Array) -> Array:
                here = (*before, slice(m * batch_size, (m + 1) * batch_size))
                batch = tf.nest.map_structure(lambda each: each[here], examples)
                first = n * n_heap + m * batch_size
                take_step(batch, *(each[first : first + batch_size] for each in beside))
                return m + 1

            tf.while_loop(lambda m: m < n_steps, step, [0], parallel_iterations=1)
            return n + 1

        n_done = tf.while_loop(lambda n: n < n_heaps, heap, [0], parallel_iterations=1)[0]
        with tf.control_dependencies([n_done]):
            end()
        return n_done

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
