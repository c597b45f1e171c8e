"""The library's face: a Keras model whose heads' losses are weighed at every step."""

from dataclasses import asdict
from typing import Any

import keras

from steelyard.arrays import ops
from steelyard.training import heads as of_heads
from steelyard.training import sharing, written
from steelyard.training.balance import Balance
from steelyard.training.diagnosis import Diagnosis
from steelyard.training.step import WeighedStep
from steelyard.training.trackers import EpochCounter, LossWeights, Means
from steelyard.training.weigher import Weigher
from steelyard.weighting.base import Weighting
from steelyard.weighting.fixed import Fixed


@keras.saving.register_keras_serializable(package="steelyard")
class WeighedModel(WeighedStep):
    """A multi-output network trained on the weighted sum of its heads' losses.

    It is compiled, fitted, evaluated and saved as any Keras model. The weights are asked of the
    weighting anew at every step; the weighting is pure, and its memory lives here, as variables,
    so that a saved model holds it. `val_loss` is the sum of the losses at their fixed
    `loss_weights`, whatever the weighting does.

        model = WeighedModel(network, weighting=NashMTL())
        model.compile("rmsprop", loss={"age": "mse", "gender": "binary_crossentropy"})
        model.fit(inputs, targets, validation_data=held_out)

    A missing label is NaN, or -1 for whole-number classes; it masks the head for that example.

    Args:
        network: A functional model with one output a head: a dict, a list, or a single one.
        weighting: The rule that weighs the heads; `Fixed()` by default.
        balance: How the weighting is asked, and its weights applied.
        seed: Of the weighting's own draws.
        diagnose_every: Steps between two measurements of the heads' gradients, for a weighting
            that takes none; 0 makes none. `model.diagnosis.told()` has their means over an epoch.
    """

    def __init__(
        self,
        network: keras.Model,
        weighting: Weighting | None = None,
        balance: Balance | None = None,
        *,
        seed: int = 0,
        diagnose_every: int = 50,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.network = network
        self.heads = of_heads.output_names(network)
        of_heads.check_outputs(network, self.heads)
        n_heads = len(self.heads)
        self.epoch = keras.Variable(0.0, trainable=False, name="epoch")
        weights = keras.Variable(ops.ones(n_heads), trainable=False, name="loss_weights")
        self.loss_weights = LossWeights(self.heads, weights)
        self._loss_weights = weights  # Keras saves what it sees
        self.weigher = Weigher(
            weighting or Fixed(), balance or Balance(), network.weights, n_heads, seed
        )
        self.diagnosis = Diagnosis(self.heads, diagnose_every)
        self._find_comparisons()
        self.built = True

    def _find_comparisons(self) -> None:
        """Finds where the heads' gradients are to be compared."""
        self.links = None
        self.compared: list[keras.Variable] = []
        self.with_crossings = None
        on = self.weigher.balance.on
        if on == "last_shared":
            self.compared = sharing.last_shared(self.network, self.heads)
        elif on == "representation":
            found = sharing.crossings(self.network, self.heads)
            if found:
                outputs = [self.network.output, found]
                self.with_crossings = keras.Model(self.network.input, outputs)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.network(inputs, training=training)

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        *,
        jit_compile: bool = False,
        **options: Any,
    ) -> None:
        """Configures training as `keras.Model.compile` does.

        Args:
            optimizer: A Keras optimizer, or its name.
            loss: One loss for each head, as a dict or a list.
            loss_weights: One number for each head, as a dict or a list; 1 where not named.
            metrics: Metrics for each head, as a dict or a list; they count examples by their
                sample weights, as `weighted_metrics` do elsewhere.
            jit_compile: Whether XLA compiles the step.
            options: Keras's other options.

        Raises:
            ValueError: A head is misspelt, or a weight is negative, infinite, or all are zero.
        """
        if options.get("weighted_metrics"):
            raise ValueError(
                "`weighted_metrics` must be given as `metrics`, which are weighted here, got "
                f"{options['weighted_metrics']!r}."
            )
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **options)
        losses = of_heads.by_head("loss", loss, self.heads)
        for head in self.heads:
            if losses.get(head) is None:
                raise ValueError(f"`loss` must have an entry for the head {head!r}, got none.")
        self.head_losses = {head: losses[head] for head in self.heads}
        self.kinds = tuple(of_heads.kind_of_loss(losses[head]) for head in self.heads)
        given = {} if loss_weights is None else loss_weights
        self.loss_weights.assign(
            of_heads.by_head("loss_weights", given, self.heads) if given else {}, others=1.0
        )
        self.links = None  # other variables may be trainable now
        wanted = of_heads.by_head("metrics", metrics, self.heads) if metrics is not None else {}
        self.head_metrics = {
            head: of_heads.metrics_of(wanted.get(head), losses[head]) for head in self.heads
        }
        self.means = Means(self.heads)
        self._compiled_with = {
            "optimizer": optimizer,
            "loss": self.head_losses,
            "loss_weights": None if loss_weights is None else self.loss_weights.as_dict(),
            "metrics": {head: wanted.get(head) for head in self.heads} if wanted else None,
            "jit_compile": jit_compile,
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
        }

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        if not self.compiled:
            return []
        own = [each for head in self.heads for each in self.head_metrics[head]]
        return [*self.means.metrics, *own]

    def begin_epoch(self) -> None:
        """Begins the means over an epoch anew; traced or not."""
        self.reset_metrics()
        self.diagnosis.begin()

    def end_epoch(self) -> None:
        """Counts an epoch; traced or not."""
        self.epoch.assign_add(1.0)

    @property
    def clocks(self) -> list[keras.Variable]:
        """What counts steps and epochs; it is the same for models that have come equally far."""
        return [self.diagnosis.step, self.weigher.step, self.epoch]

    @property
    def state(self) -> list[keras.Variable]:
        """All variables that a step reads or moves, in an order that does not change."""
        learner = getattr(self.weigher, "optimizer", None)
        of_metrics = [each for metric in self.metrics for each in metric.variables]
        own = [*self.weigher.variables, *self.diagnosis.state, self.epoch, self._loss_weights]
        learning = [*self.optimizer.variables, *(learner.variables if learner else ())]
        return [*self.network.variables, *own, *of_metrics, *learning]

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        **options: Any,
    ) -> Any:
        """Trains the network, as `keras.Model.fit` does.

        Raises:
            ValueError: The targets or the inputs do not fit the heads.
        """
        if y is not None and self.compiled:
            of_heads.check_inputs(self.network, x)
            outputs = of_heads.by_head("outputs", self.network.output, self.heads)
            for head, target in of_heads.by_head("targets", y, self.heads).items():
                width = outputs[head].shape[-1]
                of_heads.check_targets(head, target, width, self.head_losses[head])
        callbacks = options.pop("callbacks", None) or []
        if isinstance(callbacks, keras.callbacks.Callback):
            callbacks = [callbacks]
        callbacks = [EpochCounter(), *callbacks]
        return super().fit(x, y, batch_size, epochs, callbacks=callbacks, **options)

    def evaluate(self, *args: Any, return_dict: bool = False, **options: Any) -> Any:
        """Returns the total loss, then each head's loss and metrics; with their names as a dict."""
        logs = super().evaluate(*args, return_dict=True, **options)
        ordered = {"loss": logs["loss"], **logs}
        return ordered if return_dict else list(ordered.values())

    def get_config(self) -> dict[str, Any]:
        return {
            "network": keras.saving.serialize_keras_object(self.network),
            "weighting": written.write(self.weigher.weighting),
            "balance": asdict(self.weigher.balance),
            "seed": self.weigher.seed,
            "diagnose_every": self.diagnosis.every,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "WeighedModel":
        network = keras.saving.deserialize_keras_object(config["network"], custom_objects)
        weighting, balance = written.read(config["weighting"]), Balance(**config["balance"])
        rest = {name: config[name] for name in ("seed", "diagnose_every", "name")}
        return cls(network, weighting, balance, **rest)

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        serialize = keras.saving.serialize_keras_object
        current = {**self._compiled_with, "optimizer": self.optimizer}
        current["loss_weights"] = self.loss_weights.as_dict()
        return {name: serialize(value) for name, value in current.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        deserialize = keras.saving.deserialize_keras_object
        self.compile(**{name: deserialize(value) for name, value in config.items()})
        self.optimizer.build(self.trainable_variables)
