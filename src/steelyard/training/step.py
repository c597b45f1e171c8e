"""The training step: the only file that takes a gradient."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from steelyard.arrays import Array, Gramian, Losses, Named, ops
from steelyard.training.balance import Balance
from steelyard.training.heads import by_head, errors
from steelyard.training.rows import Gradient, Rows, rows_of, summed
from steelyard.training.trackers import LossWeights, VectorMean
from steelyard.weighting.base import KindOfLoss, Signals, Weighing, Weighting


class WeighedStep(keras.Model):
    """How a network is trained on the weighted sum of its heads' losses, one batch at a time.

    The weighting is pure: its memory lives in the model's variables.
    """

    heads: tuple[str, ...]
    weighting: Weighting
    balance: Balance
    loss_weights: LossWeights
    epoch: keras.Variable
    memory: dict[str, keras.Variable]
    learned: list[keras.Variable]  # the memories that `memory_optimizer` trains
    memory_optimizer: keras.optimizers.Optimizer
    head_losses: dict[str, Any]
    head_metrics: dict[str, list[keras.metrics.Metric]]
    kinds: tuple[KindOfLoss, ...]
    means: dict[str, VectorMean]

    def train_step(self, data: Any) -> Named:
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        variables = self.trainable_variables
        takes_rows = self.weighting.needs_gramian
        with tf.GradientTape(persistent=takes_rows) as tape:
            outputs = self._by_head(self(inputs, training=True))
            by_task, known = self._task_losses(targets, outputs, sample_weight)
            losses = ops.stack(by_task)  # [K]
            counts = ops.stack([ops.sum(known[head]) for head in self.heads])
            penalty = sum(self.losses, start=ops.zeros(()))  # of the network's regularizers
            if not takes_rows:
                with tape.stop_recording():
                    weighing = self._weigh(losses, counts, gramian=None)
                objective = ops.sum(weighing.weights * losses) + penalty
        if takes_rows:
            rows = [tape.gradient(loss, variables) for loss in by_task]
            weighing, gradients = self._combine(rows, losses, counts)
            if self.losses:
                extra = tape.gradient(penalty, variables)
                gradients = [_added(*pair) for pair in zip(gradients, extra, strict=True)]
        else:
            gradients = [summed(each) for each in tape.gradient(objective, variables)]
        self.optimizer.apply(gradients, variables)
        self._remember(weighing.memory)

        n_examples = ops.cast(ops.shape(outputs[self.heads[0]])[0], "float32")
        self.means["weight"].update_state(weighing.weights, n_examples)
        self.means["weighted_loss"].update_state(weighing.weights * losses, n_examples)
        if takes_rows:
            flag = ops.cast(weighing.is_stationary, "float32")
            self.means["stationary"].update_state(ops.reshape(flag, (1,)), 1.0)
        self._measure(losses, counts, targets, outputs, known)
        return self._logs(is_training=True)

    def test_step(self, data: Any) -> Named:
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self._by_head(self(inputs, training=False))
        by_task, known = self._task_losses(targets, outputs, sample_weight)
        losses = ops.stack(by_task)  # [K]
        counts = ops.stack([ops.sum(known[head]) for head in self.heads])
        self._measure(losses, counts, targets, outputs, known)
        return self._logs(is_training=False)

    def _by_head(self, values: Any) -> Named:
        return by_head("targets", values, self.heads)

    def _task_losses(
        self, targets: Any, outputs: Named, sample_weight: Any
    ) -> tuple[list[Array], Named]:
        """Returns each head's mean loss [], and the weight of each example [N] by head.

        The mean is over the examples that bear the head's label; a head without one has loss 0.
        The losses are not stacked here: a stack would connect every variable with every head.
        """
        targets = self._by_head(targets)
        given = {} if sample_weight is None else sample_weight
        if not isinstance(given, Mapping):
            is_listed = isinstance(given, list | tuple)
            given = self._by_head(given) if is_listed else dict.fromkeys(self.heads, given)
        losses, known = [], {}
        for head in self.heads:
            target, is_known = _masked(targets[head], outputs[head])
            error = errors(self.head_losses[head], target, outputs[head])  # [N]
            weight = ops.cast(is_known, error.dtype)
            if head in given:
                weight = weight * ops.reshape(ops.cast(given[head], error.dtype), (-1,))
            # A product would keep an infinite error of an example that does not count.
            total = ops.sum(ops.where(weight > 0, error * weight, 0.0))
            losses.append(total / ops.maximum(ops.sum(weight), 1e-12))
            known[head] = weight
        return losses, known

    def _weigh(self, losses: Losses, counts: Array, gramian: Gramian | None) -> Weighing:
        """Returns what the weighting answers, and trains what it learns."""
        signals = Signals(
            losses=ops.stop_gradient(losses),
            counts=counts,
            loss_weights=self.loss_weights.variable.value,
            kinds=self.kinds,
            epoch=self.epoch.value,
            gramian=gramian,
        )
        memory = {name: tf.convert_to_tensor(each.value) for name, each in self.memory.items()}
        learned = [memory[name] for name in sorted(self.weighting.learns)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(learned)
            weighing = self.weighting.weigh(signals, memory)
            weights = self.balance.scaled(weighing.weights, signals.is_active)
            terms = weights * signals.losses + self.weighting.penalty(signals, memory)
            objective = ops.sum(ops.where(signals.is_active, terms, 0.0))
        if learned:
            self.memory_optimizer.apply(tape.gradient(objective, learned), self.learned)
            for variable, before in zip(self.learned, learned, strict=True):
                variable.assign(ops.where(signals.is_active, variable.value, before))
        return weighing._replace(weights=ops.stop_gradient(weights))

    def _combine(
        self, by_task: Sequence[Sequence[Gradient]], losses: Losses, counts: Array
    ) -> tuple[Weighing, list[Gradient]]:
        """Returns the weights found from the heads' own gradients, and those gradients combined.

        A variable is shared if the losses of two or more heads reach it; any other belongs to the
        one head whose loss does. Each head's loss took one backward pass, and the sum takes none.

        Args:
            by_task: The gradients of each head's loss on each variable.
            losses: The heads' losses [K].
            counts: The heads' labelled examples [K].
        """
        shared: dict[int, Rows] = {}
        gramian = ops.zeros((len(self.heads), len(self.heads)), dtype="float64")
        for n, given in enumerate(zip(*by_task, strict=True)):
            if sum(each is not None for each in given) > 1:
                shared[n] = rows_of(given)
                gramian = gramian + shared[n].gramian()
        weighing = self._weigh(losses, counts, gramian)
        if not shared:  # nothing to balance: each head is trained as if alone
            weighing = weighing._replace(weights=ops.ones_like(weighing.weights))

        is_weighted = self.balance.heads == "weighted"
        gradients: list[Gradient] = []
        for n, given in enumerate(zip(*by_task, strict=True)):
            if n in shared:
                gradients.append(shared[n].combined(weighing.weights))
                continue
            owner = next((k for k, each in enumerate(given) if each is not None), None)
            own = None if owner is None else summed(given[owner])
            is_scaled = is_weighted and own is not None
            gradients.append(own * weighing.weights[owner] if is_scaled else own)
        return weighing, gradients

    def _remember(self, memory: Named) -> None:
        for name in self.memory.keys() - self.weighting.learns:
            self.memory[name].assign(memory[name])

    def _measure(
        self, losses: Losses, counts: Array, targets: Any, outputs: Named, known: Named
    ) -> None:
        self.means["loss"].update_state(losses, counts)
        targets = self._by_head(targets)
        for head in self.heads:
            target, _ = _masked(targets[head], outputs[head])
            for metric in self.head_metrics[head]:
                metric.update_state(target, outputs[head], sample_weight=known[head])

    def _logs(self, *, is_training: bool) -> Named:
        """Returns Keras's own log keys, and each head's weight and weighted loss in training."""
        n_heads = len(self.heads)
        losses = self.means["loss"].result()
        logs: Named = {}
        if is_training:
            weighted = self.means["weighted_loss"].result()
            logs["loss"] = ops.sum(weighted)
        else:
            logs["loss"] = ops.sum(self.loss_weights.variable.value * losses)
        for head, loss in zip(self.heads, ops.unstack(losses, n_heads), strict=True):
            logs[f"{head}_loss"] = loss
            for metric in self.head_metrics[head]:
                logs[f"{head}_{metric.name}"] = metric.result()
        if is_training:
            weights = ops.unstack(self.means["weight"].result(), n_heads)
            parts = ops.unstack(weighted, n_heads)
            for head, weight, part in zip(self.heads, weights, parts, strict=True):
                logs[f"{head}_weight"] = weight
                logs[f"{head}_weighted_loss"] = part
            if "stationary" in self.means:
                logs["stationary"] = self.means["stationary"].result()[0]
        return logs


def _masked(target: Array, output: Array) -> tuple[Array, Array]:
    """Returns a head's targets with its missing ones filled, and which are known [N]."""
    if "int" in keras.backend.standardize_dtype(target.dtype):
        is_known = target != -1
    else:
        is_known = ops.logical_not(ops.isnan(target))
    filled = ops.where(is_known, target, ops.zeros_like(target))
    is_known = ops.all(ops.reshape(is_known, (ops.shape(target)[0], -1)), axis=-1)
    if len(filled.shape) == 1:
        filled = filled[:, None]  # [N, 1]
    return filled, is_known


def _added(one: Gradient, other: Gradient) -> Gradient:
    """Returns the sum of two gradients, either of which may be missing."""
    return one if other is None else other if one is None else tf.add(one, other)
