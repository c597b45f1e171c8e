"""The training step: one forward pass, the weighting's answer, and the gradients it asks for."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from steelyard.arrays import Array, Gramian, Named, Weights, ops
from steelyard.training.diagnosis import Diagnosis
from steelyard.training.heads import by_head
from steelyard.training.passes import Passes, added, of_both
from steelyard.training.rows import Gradient, Rows, multiplied, rows_of, summed
from steelyard.training.task_losses import TaskLosses, task_losses
from steelyard.training.trackers import LossWeights, Means
from steelyard.training.twice import Twice
from steelyard.training.weigher import Weigher
from steelyard.weighting.base import KindOfLoss, Signals, Weighing


class Answer(NamedTuple):
    """What one step found out."""

    weighing: Weighing
    gradients: list[Gradient]  # of the trainable variables
    gramian: Gramian | None = None  # [K, K]; none where gradients are not compared


class Pull(NamedTuple):
    """What a batch asks of the optimizer, and what the weighting may learn from it afterwards."""

    gradients: list[Gradient]  # of the trainable variables
    weighing: Weighing
    signals: Signals
    n_examples: Array


class WeighedStep(keras.Model):
    """How a network is trained on the weighted sum of its heads' losses, one batch at a time."""

    network: keras.Model
    heads: tuple[str, ...]
    weigher: Weigher
    loss_weights: LossWeights
    epoch: keras.Variable
    compared: list[keras.Variable]  # where gradients are, if not on all shared variables
    with_crossings: keras.Model | None  # the network, and the tensors where they are compared
    head_losses: dict[str, Any]
    head_metrics: dict[str, list[keras.metrics.Metric]]
    kinds: tuple[KindOfLoss, ...]
    means: Means
    diagnosis: Diagnosis
    links: list[tuple[int, ...]] | None  # which heads reach each trainable variable

    def train_step(self, data: Any) -> Named:
        if self.weigher.balance.update_every == 1 or not self.weigher.takes_rows:
            self._step(data, is_asked=True)
        else:
            # Each kind of step as a whole: a branch that begins after the forward pass costs more.
            tf.cond(
                self.weigher.is_due,
                lambda: self._step(data, is_asked=True),
                lambda: self._step(data, is_asked=False),
            )
        return self.means.in_training(self.head_metrics)

    def _step(self, data: Any, *, is_asked: bool) -> Array:
        """Takes a step, with new weights or with those of the last asking."""
        looks_back = self.weigher.weighting.needs_losses_after
        twice = Twice(self.network) if looks_back else None
        found = self.pull_of(data, is_asked=is_asked)
        self.optimizer.apply(found.gradients, self.trainable_variables)
        if twice is not None:
            inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            again = twice.again(lambda: self._forward(inputs)[0])
            after = self._task_losses(targets, again, sample_weight).losses
            signals = found.signals._replace(losses_after=after)
            self.weigher.learn(signals, found.weighing.memory)
        return found.n_examples

    def pull_of(
        self,
        data: Any,
        *,
        is_asked: bool = True,
        is_measured: bool | None = None,
        n_examples: Array | None = None,
    ) -> Pull:
        """Returns what a batch asks of the optimizer; all but the network's weights moves on.

        Args:
            data: The batch.
            is_asked: Whether the weighting is, or its last weights hold.
            is_measured: Whether the diagnosis measures gradients; where it is None, it goes by
                its own clock.
            n_examples: How many of the batch's examples count; all where it is None.
        """
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        variables = [each.value for each in self.trainable_variables]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(variables)  # they may be tensors that stand for variables
            outputs, crossings = self._forward(inputs)
            told = self._task_losses(targets, outputs, sample_weight)
            penalty = sum(self.losses, start=ops.zeros(())) if self.losses else None
        passes = Passes(
            tape=tape,
            by_task=told.by_task,
            penalty=penalty,
            variables=variables,
            unit=self.optimizer.scale_loss(ops.ones(())),
        )
        signals = self._signals(told)
        if is_asked:
            answer = self._answer(passes, signals, crossings or self.compared)
        else:
            answer = self._held(passes, signals)
        self._diagnose(passes, signals, answer, is_asked=is_asked, is_measured=is_measured)
        self.weigher.remember(answer.weighing, signals.is_active)
        if n_examples is None:
            n_examples = ops.cast(ops.shape(outputs[self.heads[0]])[0], "float32")
        self.means.see_step(signals, answer.weighing, n_examples)
        self.means.see(told, self.head_metrics, targets, outputs)
        return Pull(answer.gradients, answer.weighing, signals, n_examples)

    def test_step(self, data: Any) -> Named:
        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = by_head("outputs", self(inputs, training=False), self.heads)
        told = self._task_losses(targets, outputs, sample_weight)
        self.means.see(told, self.head_metrics, targets, outputs)
        return self.means.in_test(self.head_metrics, self.loss_weights)

    def _forward(self, inputs: Any) -> tuple[Named, list[Array]]:
        """Returns the heads' outputs, and the tensors at which gradients are to be compared."""
        if self.with_crossings is None:
            return by_head("outputs", self(inputs, training=True), self.heads), []
        outputs, crossings = self.with_crossings(inputs, training=True)
        return by_head("outputs", outputs, self.heads), list(crossings)

    def _task_losses(self, targets: Any, outputs: Named, sample_weight: Any) -> TaskLosses:
        return task_losses(self.heads, self.head_losses, targets, outputs, sample_weight)

    def _signals(self, told: TaskLosses) -> Signals:
        return Signals(
            losses=ops.cast(told.losses, "float32"),
            counts=ops.cast(told.counts, "float32"),
            loss_weights=tf.convert_to_tensor(self.loss_weights.variable.value),
            kinds=self.kinds,
            epoch=tf.convert_to_tensor(self.epoch.value),
        )

    def _answer(self, passes: Passes, signals: Signals, compared: Sequence[Any]) -> Answer:
        """Returns the weights and the gradients, from as few backward passes as will do."""
        weigher = self.weigher
        if not weigher.takes_rows:
            weighing = weigher.weigh(signals)
            return Answer(weighing, self._pulled(passes, signals, weighing.weights))
        if weigher.balance.on == "shared":
            return self._asked(passes, signals)
        by_task = passes.of_each(compared, signals.is_active)
        rows = map(rows_of, zip(*by_task, strict=True))
        gramian = self._gramian(dict(enumerate(rows)), passes)
        weighing = self._weigh(signals, gramian, compared)
        return Answer(weighing, self._pulled(passes, signals, weighing.weights), gramian)

    def _held(self, passes: Passes, signals: Signals) -> Answer:
        """Returns what the weights of the last asking make of this step."""
        weighing = self.weigher.hold(signals)
        return Answer(weighing, self._pulled(passes, signals, weighing.weights))

    def _diagnose(
        self,
        passes: Passes,
        signals: Signals,
        answer: Answer,
        *,
        is_asked: bool,
        is_measured: bool | None,
    ) -> None:
        """Shows the diagnosis the gradients, where they were compared or are to be looked at."""
        see = partial(self.diagnosis.see, weights=answer.weighing.weights, signals=signals)
        if answer.gramian is not None:
            see(answer.gramian)
        elif is_asked and len(self.heads) > 1 and self.diagnosis.every:
            if is_measured is None:
                tf.cond(
                    self.diagnosis.is_due,
                    lambda: see(self._measured(passes, signals)),
                    lambda: tf.constant(False),
                )
            elif is_measured:
                see(self._measured(passes, signals))
        self.diagnosis.step.assign_add(1)

    def _pulled(self, passes: Passes, signals: Signals, weights: Weights) -> list[Gradient]:
        """Returns the gradients of the weighted losses, in one pass, or one for private layers."""
        if self.weigher.weighs_private:
            return passes.of_sum(ops.unstack(weights, len(self.heads)), passes.variables)
        if self.links is None:
            self.links = passes.links()
        own = ops.cast(signals.is_active, weights.dtype)
        return of_both(passes, self.links, weights, own)

    def _measured(self, passes: Passes, signals: Signals) -> Gramian:
        """Returns what serves the diagnosis alone; not a number where nothing is shared."""
        shared, _ = self._shared_rows(passes, signals)
        if shared:
            return self._gramian(shared, passes)
        return tf.fill((len(self.heads),) * 2, tf.constant(float("nan"), tf.float64))

    def _shared_rows(
        self, passes: Passes, signals: Signals
    ) -> tuple[dict[int, Rows], list[Sequence[Gradient]]]:
        """Returns the heads' gradients on the variables that two reach, or more; and all of them.

        Each head's loss takes one backward pass.
        """
        by_variable: list[Sequence[Gradient]] = list(
            zip(*passes.of_each(passes.variables, signals.is_active), strict=True)
        )
        shared = {
            n: rows_of(given)
            for n, given in enumerate(by_variable)
            if sum(each is not None for each in given) > 1
        }
        return shared, by_variable

    def _asked(self, passes: Passes, signals: Signals) -> Answer:
        """Returns the weights found from the heads' own gradients, and those gradients combined.

        The weighted sum takes no backward pass of its own.
        """
        shared, by_variable = self._shared_rows(passes, signals)
        if self.weigher.weighting.needs_coordinates:
            plain = {
                n: each._replace(matrix=each.matrix / passes.unit) for n, each in shared.items()
            }
            looked, statistic = self.weigher.look(plain, self.trainable_variables, signals)
            shared = {
                n: each._replace(matrix=each.matrix * passes.unit) for n, each in looked.items()
            }
            signals = signals._replace(statistic=statistic)
        gramian = self._gramian(shared, passes)
        weighing = self._weigh(signals, gramian, list(shared))

        is_active = ops.cast(signals.is_active, "float32")
        private = weighing.weights if self.weigher.weighs_private else is_active
        gradients: list[Gradient] = []
        for n, given in enumerate(by_variable):
            if n in shared:
                gradients.append(shared[n].combined(weighing.weights))
            else:
                own = [(k, each) for k, each in enumerate(given) if each is not None]
                found = [multiplied(summed(each), private[k]) for k, each in own]
                gradients.append(found[0] if found else None)
        if passes.penalty is not None:
            gradients = [added(*both) for both in zip(gradients, passes.of_penalty(), strict=True)]
        return Answer(weighing, gradients, gramian)

    def _weigh(self, signals: Signals, gramian: Gramian, compared: Sequence[Any]) -> Weighing:
        weighing = self.weigher.weigh(signals._replace(gramian=gramian))
        if compared or not self.weigher.asks_for_rows:
            return weighing
        # Nothing is shared, so nothing is to be balanced: each head is trained as if alone.
        return weighing._replace(weights=ops.cast(signals.is_active, "float32"))

    def _gramian(self, rows: dict[int, Rows], passes: Passes) -> Gramian:
        total = ops.zeros((len(self.heads),) * 2, dtype="float64")
        for each in rows.values():
            total = total + each.gramian()
        return total / ops.square(ops.cast(passes.unit, "float64"))
