"""The library's face: a Keras model whose heads' losses are weighed at every step."""

import importlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import keras

from steelyard.arrays import Array, ops
from steelyard.training import heads as of_heads
from steelyard.training.balance import Balance
from steelyard.training.step import WeighedStep
from steelyard.training.trackers import EpochCounter, LossWeights, VectorMean
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
        balance: How the weights are applied.
    """

    def __init__(
        self,
        network: keras.Model,
        weighting: Weighting | None = None,
        balance: Balance | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.network = network
        self.weighting = weighting or Fixed()
        self.balance = balance or Balance()
        self.heads = of_heads.output_names(network)
        of_heads.check_outputs(network, self.heads)
        n_heads = len(self.heads)
        self.epoch = keras.Variable(0.0, trainable=False, name="epoch")
        self.loss_weights = LossWeights(
            self.heads, self._variable(ops.ones(n_heads), "loss_weights")
        )
        self._loss_weights = self.loss_weights.variable  # Keras saves what it sees
        self.memory = {
            name: self._variable(value, f"memory_{name}")
            for name, value in self.weighting.remember(n_heads).items()
        }
        self.learned = [self.memory[name] for name in sorted(self.weighting.learns)]
        if self.learned:
            rate = self.balance.memory_learning_rate
            self.memory_optimizer = keras.optimizers.Adam(rate)
            self.memory_optimizer.build(self.learned)
        self.built = True

    def _variable(self, value: Array, name: str) -> keras.Variable:
        return keras.Variable(value, trainable=False, dtype="float32", name=name)

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
            metrics: Metrics for each head, as a dict or a list.
            jit_compile: Whether XLA compiles the step.
            options: Keras's other options.

        Raises:
            ValueError: A head is misspelt, or a weight is negative, infinite, or all are zero.
        """
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **options)
        losses = of_heads.by_head("loss", loss, self.heads)
        for head in self.heads:
            if losses.get(head) is None:
                raise ValueError(f"`loss` must have an entry for the head {head!r}, got none.")
        self.head_losses = {head: losses[head] for head in self.heads}
        self.kinds = tuple(of_heads.kind_of_loss(losses[head]) for head in self.heads)
        if loss_weights is not None:
            self.loss_weights.assign(
                of_heads.by_head("loss_weights", loss_weights, self.heads), others=1.0
            )
        wanted = of_heads.by_head("metrics", metrics, self.heads) if metrics is not None else {}
        self.head_metrics = {
            head: of_heads.metrics_of(wanted.get(head), losses[head]) for head in self.heads
        }
        n_heads = len(self.heads)
        vectors = ("loss", "weight", "weighted_loss")
        self.means = {name: VectorMean(n_heads, name=f"mean_{name}") for name in vectors}
        if self.weighting.needs_gramian:
            self.means["stationary"] = VectorMean(1, name="mean_stationary")
        self._compiled_with = {
            "optimizer": optimizer,
            "loss": self.head_losses,
            "loss_weights": None if loss_weights is None else self.loss_weights.as_dict(),
            "metrics": {head: wanted.get(head) for head in self.heads} if wanted else None,
        }

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        if not self.compiled:
            return []
        own = [each for head in self.heads for each in self.head_metrics[head]]
        return [*self.means.values(), *own]

    def fit(self, x: Any = None, y: Any = None, **options: Any) -> Any:
        """Trains the network, as `keras.Model.fit` does.

        Raises:
            ValueError: The targets or the inputs do not fit the heads.
        """
        if y is not None:
            of_heads.check_inputs(self.network, x)
            for head, target in of_heads.by_head("targets", y, self.heads).items():
                width = self._by_head(self.network.output)[head].shape[-1]
                of_heads.check_targets(head, target, width, self.head_losses[head])
        callbacks = options.pop("callbacks", None) or []
        if isinstance(callbacks, keras.callbacks.Callback):
            callbacks = [callbacks]
        return super().fit(x, y, callbacks=[EpochCounter(), *callbacks], **options)

    def evaluate(self, *args: Any, return_dict: bool = False, **options: Any) -> Any:
        """Returns the total loss, then each head's loss and metrics; with their names as a dict."""
        logs = super().evaluate(*args, return_dict=True, **options)
        ordered = {"loss": logs["loss"], **logs}
        return ordered if return_dict else list(ordered.values())

    def get_config(self) -> dict[str, Any]:
        kind = type(self.weighting)
        return {
            "network": keras.saving.serialize_keras_object(self.network),
            "weighting": {"class": f"{kind.__module__}.{kind.__name__}", **asdict(self.weighting)},
            "balance": asdict(self.balance),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "WeighedModel":
        network = keras.saving.deserialize_keras_object(config["network"], custom_objects)
        knobs = dict(config["weighting"])
        weighting = _weighting_named(knobs.pop("class"))(**knobs)
        balance = Balance(**config["balance"])
        return cls(network, weighting, balance, name=config["name"])

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


def _weighting_named(path: str) -> Callable[..., Weighting]:
    """Returns a weighting's class; only this project's are taken from a saved file."""
    module, _, name = path.rpartition(".")
    if not module.startswith("steelyard.weighting."):
        raise ValueError(f"`weighting` must be a class of steelyard.weighting, got {path!r}.")
    found: Callable[..., Weighting] = getattr(importlib.import_module(module), name)
    return found
