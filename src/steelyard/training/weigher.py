"""Who asks the weighting: keeps its memory, trains what it learns, applies the balance."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from steelyard.arrays import Array, Gramian, Named, Weights, ops
from steelyard.training.balance import Balance
from steelyard.training.kept import Kept
from steelyard.training.passes import descend
from steelyard.training.rows import Rows
from steelyard.weighting.base import Signals, Weighing, Weighting


class Weigher(keras.layers.Layer):
    """A weighting and a balance at work. It is a layer so that Keras saves its variables.

    Args:
        weighting: The rule.
        balance: How it is asked, and how its weights are applied.
        variables: The network's, of whose coordinates some rules keep a memory.
        n_heads: K.
        seed: Of the weighting's draws, which depend on it and on the step alone.
    """

    def __init__(
        self,
        weighting: Weighting,
        balance: Balance,
        variables: Sequence[keras.Variable],
        n_heads: int,
        seed: int,
    ) -> None:
        super().__init__(name="weigher", dtype="float32")
        weighting.check(n_heads)
        balance.check(weighting)
        self.weighting, self.balance = weighting, balance
        self.n_heads, self.seed = n_heads, seed
        # A variable, for what is traced with one model serves others, which draw otherwise.
        self.drawn_from = keras.Variable(
            seed % 2**30, trainable=False, dtype="int32", name="drawn_from"
        )
        self.step = keras.Variable(0, trainable=False, dtype="int32", name="step")
        self.held = self._own(ops.zeros(n_heads), "held")  # the last weights
        begin = {**weighting.remember(n_heads), **balance.remember(n_heads)}
        self.memory = {name: self._own(value, f"memory_{name}") for name, value in begin.items()}
        self.learned = {name: self.memory[name] for name in sorted(weighting.learns)}
        if self.learned:
            self.optimizer = keras.optimizers.Adam(balance.memory_learning_rate)
            self.optimizer.build(list(self.learned.values()))
        self.kept = Kept(weighting.keeps, variables, n_heads)
        self.kept_variables = self.kept.variables  # Keras saves what it sees
        self.built = True

    def _own(self, value: Array, name: str) -> keras.Variable:
        return keras.Variable(value, trainable=False, dtype="float32", name=name)

    @property
    def asks_for_rows(self) -> bool:
        """Whether the method itself goes by gradients."""
        return self.weighting.needs_gramian or self.weighting.needs_coordinates

    @property
    def takes_rows(self) -> bool:
        """Whether gradients are compared in a step."""
        return self.asks_for_rows or self.balance.needs_gramian

    @property
    def weighs_private(self) -> bool:
        """Whether a head's private layers see its weight, and not its loss alone."""
        if self.balance.heads != "native":
            return self.balance.heads == "weighted"
        return not self.asks_for_rows

    @property
    def is_due(self) -> Array:
        """Whether the method is asked in this step."""
        return tf.convert_to_tensor(self.step.value) % self.balance.update_every == 0

    def draws(self, shape: Sequence[int | Array], stream: int = 0) -> Array:
        """Returns uniform numbers, new in each step; another stream has others."""
        seed = tf.stack([tf.convert_to_tensor(each.value) for each in (self.drawn_from, self.step)])
        return tf.random.stateless_uniform(shape, tf.random.fold_in(seed, stream))

    def weigh(self, signals: Signals) -> Weighing:
        """Returns what the weighting answers, with the balance applied; trains what it learns."""
        signals = signals._replace(gramian=_sound(signals.gramian))
        if self.weighting.needs_draws:
            signals = signals._replace(draws=self.draws((self.n_heads, self.n_heads)))
        memory = self._recall()
        scales, kept = self.balance.scales(signals, memory)
        seen = _rescaled(signals, scales)
        answer = self.weighting.weigh(seen, memory)
        if self.learned and not self.weighting.needs_losses_after:
            self.learn(seen, answer.memory)
        weights = self.balance.scaled(ops.cast(answer.weights, "float32") * scales, signals)
        return Weighing(
            ops.stop_gradient(weights),
            {name: ops.cast(({**answer.memory, **kept})[name], "float32") for name in memory},
            ops.convert_to_tensor(answer.is_stationary, dtype="bool"),
        )

    def learn(self, signals: Signals, memory: Named) -> None:
        """Trains what the weighting learns, on its own objective."""
        now = {**memory, **{name: self._recall()[name] for name in self.learned}}
        descend(
            lambda given: self.weighting.lesson(signals, given),
            now,
            self.learned,
            self.optimizer,
            signals.is_active,
        )

    def hold(self, signals: Signals) -> Weighing:
        """Returns the weights of the last asking, for the heads that are active now."""
        weights = ops.where(signals.is_active, self.held.value, 0.0)
        return Weighing(weights, self._recall(), tf.constant(False))

    def remember(self, weighing: Weighing, is_active: Array) -> None:
        """Keeps what the next step depends on; a head that takes no part keeps its weight."""
        self.held.assign(ops.where(is_active, weighing.weights, self.held.value))
        for name in self.memory.keys() - self.learned.keys():
            self.memory[name].assign(weighing.memory[name])
        self.step.assign_add(1)

    def look(
        self, shared: dict[int, Rows], variables: Sequence[keras.Variable], signals: Signals
    ) -> tuple[dict[int, Rows], Array]:
        """Returns what a method that works on coordinates makes of the rows, and its statistic."""
        statistic = ops.zeros((self.n_heads,), dtype="float64")
        seen = {}
        for n, rows in shared.items():
            draws = self.draws((tf.shape(rows.matrix)[1],), stream=n + 1)
            kept = self.kept.read(variables[n], rows)
            look = self.weighting.look(rows.matrix, kept, draws, signals.is_active)
            self.kept.write(variables[n], rows, look.kept)
            seen[n] = rows._replace(matrix=look.rows)
            statistic = statistic + ops.cast(look.statistic, "float64")
        return seen, statistic

    def _recall(self) -> Named:
        return {name: tf.convert_to_tensor(each.value) for name, each in self.memory.items()}


def _sound(gramian: Gramian | None) -> Gramian | None:
    """Returns the inner products with those of a row that is not finite as 0.

    Half a precision overflows now and then; the optimizer leaves such a step out, and no memory
    may keep it. A loss that is not finite shows in the losses.
    """
    if gramian is None:
        return None
    is_sound = ops.isfinite(ops.diagonal(gramian))
    both = ops.logical_and(is_sound[:, None], is_sound[None, :])
    return ops.where(both, gramian, 0.0)


def _rescaled(signals: Signals, scales: Weights) -> Signals:
    """Returns the signals of the same step with each loss multiplied by a number."""
    if signals.gramian is None:
        return signals._replace(losses=signals.losses * scales)
    exact = ops.cast(scales, "float64")
    gramian = signals.gramian * exact[:, None] * exact[None, :]
    return signals._replace(losses=signals.losses * scales, gramian=gramian)
