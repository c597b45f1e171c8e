"""What a method remembers of every coordinate of the parameters: a variable a task."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from steelyard.arrays import Array, Named
from steelyard.training.rows import Rows


class Kept:
    """Memories [K, ...] of each variable, zero to begin with.

    Of an embedding, only the places that a step touches are read and written.
    """

    def __init__(
        self, names: Sequence[str], variables: Sequence[keras.Variable], n_tasks: int
    ) -> None:
        self.places = {id(each): n for n, each in enumerate(variables)}
        self.tables = {
            name: [
                [
                    keras.Variable(
                        tf.zeros(each.shape), trainable=False, dtype="float32", name=f"kept_{name}"
                    )
                    for _ in range(n_tasks)
                ]
                for each in variables
            ]
            for name in names
        }

    @property
    def variables(self) -> list[keras.Variable]:
        """All of them, in an order that does not change."""
        return [each for table in self.tables.values() for row in table for each in row]

    def read(self, variable: keras.Variable, rows: Rows) -> Named:
        """Returns what is remembered of the coordinates [K, P] of a variable's rows."""
        n = self.places[id(variable)]
        return {name: self._read(table[n], rows) for name, table in self.tables.items()}

    def _read(self, memories: Sequence[keras.Variable], rows: Rows) -> Array:
        values = [tf.convert_to_tensor(each.value) for each in memories]
        if rows.places is not None:
            values = [tf.gather(each, rows.places) for each in values]
        return tf.stack([tf.reshape(each, [-1]) for each in values])

    def write(self, variable: keras.Variable, rows: Rows, kept: Named) -> None:
        """Remembers new values [K, P] of those coordinates."""
        n = self.places[id(variable)]
        for name, table in self.tables.items():
            for memory, values in zip(table[n], tf.unstack(kept[name]), strict=True):
                shaped = tf.reshape(tf.cast(values, tf.float32), rows.shape)
                if rows.places is None:
                    memory.assign(shaped)
                else:
                    memory.value.scatter_update(tf.IndexedSlices(shaped, rows.places))
