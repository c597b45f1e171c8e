"""How a method is asked, and what becomes of its answer: each option against the mathematics."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from steelyard.arrays import Array, Named, ops
from steelyard.training.balance import Balance
from steelyard.training.heads import ScaledLoss
from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Look, Signals, Weighing, Weighting
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.mgda import MGDA
from steelyard.weighting.nash_mtl import NashMTL
from steelyard.weighting.scale_invariant import ScaleInvariant
from tests.training.networks import LOSSES, WEIGHTS, network, tokens

HEADS = tuple(LOSSES)
SHARED = ("table", "trunk")


class Weights(keras.callbacks.Callback):
    """Notes the weights of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(np.array(self.model.weigher.held))


def fitted(
    method: Weighting, n: int = 32, *, scale: float = 1.0, weights: Any = None, **knobs: Any
) -> tuple[WeighedModel, list[np.ndarray]]:
    """Returns a model after steps of 16 examples, and the weights of each."""
    words, targets = tokens(n)
    losses = {**LOSSES, "age": ScaledLoss("mse", scale)}
    model = WeighedModel(network(), method, Balance(**knobs), diagnose_every=0)
    model.compile("sgd", loss=losses, loss_weights=weights)
    noted = Weights()
    model.fit(words, targets, batch_size=16, shuffle=False, verbose=0, callbacks=[noted])
    return model, noted.seen


def jacobian(model: keras.Model, words: Any, targets: Any, sources: Any) -> np.ndarray:
    """Returns the heads' gradients [K, P] by a tape of our own."""
    rows = []
    for head, loss in LOSSES.items():
        with tf.GradientTape() as tape:
            found = sources(model, words, tape)
            value = tf.reduce_mean(keras.losses.get(loss)(targets[head][:, None], found[0][head]))
        slopes = [tf.convert_to_tensor(each) for each in tape.gradient(value, found[1])]
        rows.append(np.concatenate([np.ravel(each) for each in slopes]))
    return np.array(rows, "float64")


def of_layers(*names: str) -> Any:
    def find(model: keras.Model, words: Any, tape: tf.GradientTape) -> Any:
        layers = [model.get_layer(name) for name in names]
        return model(words), [each for layer in layers for each in layer.trainable_variables]

    return find


def of_trunk_output(model: keras.Model, words: Any, tape: tf.GradientTape) -> Any:
    trunk = keras.Model(model.input, model.get_layer("trunk").output)(words)
    tape.watch(trunk)
    return {head: model.get_layer(head)(trunk) for head in HEADS}, [trunk]


@pytest.mark.parametrize(
    ("on", "sources"),
    [
        ("shared", of_layers(*SHARED)),
        ("last_shared", of_layers("trunk")),
        ("representation", of_trunk_output),
    ],
)
def test_gradients_are_compared_where_they_are_asked_for(on: str, sources: Any) -> None:
    words, targets = tokens(16)
    rows = jacobian(network(), words, targets, sources)
    _, seen = fitted(NashMTL(), 16, on=on)
    expected = rows * seen[0][:, None].astype("float64")
    np.testing.assert_allclose((expected @ expected.T).sum(axis=1), 1, rtol=1e-4)  # w (G w) = 1


@pytest.mark.parametrize("knobs", [{"on": "last_shared"}, {"on": "representation"}, {}])
def test_shared_layers_move_along_the_weighted_gradient_wherever_it_was_compared(
    knobs: dict[str, Any],
) -> None:
    model, seen = fitted(NashMTL(), 16, **knobs)
    given = dict(zip(HEADS, map(float, seen[0]), strict=True))
    other, _ = fitted(Fixed(), 16, weights=given, heads="own")
    for one, two in zip(model.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_weights_hold_between_two_askings() -> None:
    _, every = fitted(NashMTL(), 96)
    model, held = fitted(NashMTL(), 96, update_every=3)
    np.testing.assert_allclose(held[0], every[0], rtol=1e-5)
    for first in (0, 3):
        np.testing.assert_array_equal(held[first], held[first + 1])
        np.testing.assert_array_equal(held[first], held[first + 2])
    assert not np.allclose(held[2], held[3])
    assert np.isfinite(np.concatenate([np.ravel(each) for each in model.get_weights()])).all()


def test_a_step_with_held_weights_is_one_with_fixed_weights() -> None:
    model, held = fitted(NashMTL(), 32, update_every=2)
    given = dict(zip(HEADS, map(float, held[0]), strict=True))
    other, _ = fitted(Fixed(), 32, weights=given, heads="own")
    for one, two in zip(model.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)


MORE = [pytest.param(rows, marks=pytest.mark.slow) for rows in ("l2", "loss")]


@pytest.mark.parametrize("rows", ["ema_l2", *MORE])
def test_divided_rows_take_the_unit_out_of_a_method_that_has_one(rows: str) -> None:
    trunks = []
    for scale in (1.0, 2.0**-12):
        model, _ = fitted(MGDA(), scale=scale, rows=rows, heads="weighted")
        trunks.append(model.network.get_layer("trunk").get_weights()[0])
    np.testing.assert_allclose(*trunks, atol=1e-4 * np.abs(trunks[0]).max())


def test_a_method_with_a_unit_shows_it_where_rows_are_not_divided() -> None:
    trunks = []
    for scale in (1.0, 2.0**-12):
        model, _ = fitted(MGDA(), scale=scale, heads="weighted")
        trunks.append(model.network.get_layer("trunk").get_weights()[0])
    assert np.abs(trunks[0] - trunks[1]).max() > 1e-3 * np.abs(trunks[0]).max()


def test_fixed_weights_of_losses_divided_by_themselves_are_the_log_loss() -> None:
    _, divided = fitted(Fixed(), rows="loss", weights=WEIGHTS)
    _, logs = fitted(ScaleInvariant(), weights=WEIGHTS)
    np.testing.assert_allclose(divided[0], logs[0], rtol=1e-3)


def test_a_matched_gradient_is_as_long_as_that_of_the_loss_weights() -> None:
    words, targets = tokens(16)
    rows = jacobian(network(), words, targets, of_layers(*SHARED))
    _, native = fitted(NashMTL(), 16, weights=WEIGHTS)
    _, matched = fitted(NashMTL(), 16, weights=WEIGHTS, normalise="match_norm")
    wanted = np.linalg.norm(np.array(list(WEIGHTS.values())) @ rows)
    assert np.linalg.norm(matched[0] @ rows) == pytest.approx(wanted, rel=1e-4)
    np.testing.assert_allclose(matched[0] / native[0], (matched[0] / native[0])[0], rtol=1e-5)


@dataclass(frozen=True, kw_only=True)
class Halved(Weighting):
    """A method that works on coordinates: keeps sums of squares, and halves every gradient."""

    paper: ClassVar[str] = ""
    needs_coordinates: ClassVar[bool] = True
    needs_gramian: ClassVar[bool] = True
    keeps: ClassVar[tuple[str, ...]] = ("squares",)

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        squares = kept["squares"] + ops.square(rows)
        return Look(0.5 * rows, {"squares": squares}, ops.sum(squares, axis=1))

    def remember(self, n_tasks: int) -> Named:
        return {"statistic": ops.zeros(n_tasks), "norms": ops.zeros(n_tasks)}

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        norms = ops.diagonal(signals.gramian)
        return Weighing(ops.ones(3), {"statistic": signals.statistic, "norms": norms})


def test_a_method_that_works_on_coordinates_sees_and_changes_every_one() -> None:
    words, targets = tokens(16)
    model, _ = fitted(Halved(), 16)
    other, _ = fitted(Fixed(), 16, weights=dict.fromkeys(HEADS, 0.5), heads="own")
    for one, two in zip(model.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)
    squares = np.sum(jacobian(network(), words, targets, of_layers(*SHARED)) ** 2, axis=1)
    np.testing.assert_allclose(model.weigher.memory["statistic"], squares, rtol=1e-4)
    np.testing.assert_allclose(model.weigher.memory["norms"], squares / 4, rtol=1e-4)


def test_what_is_kept_of_an_embedding_is_what_would_be_kept_of_a_dense_layer() -> None:
    words, targets = tokens(64)
    models = []
    for is_dense in (False, True):
        model = WeighedModel(network(is_dense=is_dense), Halved(), diagnose_every=0)
        model.compile("sgd", loss=LOSSES)
        model.fit(words, targets, batch_size=16, shuffle=False, verbose=0)
        models.append([np.array(each) for each in model.weigher.kept.variables])
    for one, two in zip(*models, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"rows": "l1"}, "`rows` must be one of none, l2, ema_l2, loss, loss_l2, got 'l1'"),
        ({"update_every": 0}, "`update_every` must be at least 1, got 0"),
        ({"memory_learning_rate": 0}, "`memory_learning_rate` must be positive, got 0"),
    ],
)
def test_refuses_what_it_does_not_know(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Balance(**knobs)


def test_refuses_to_hold_a_method_that_works_on_coordinates() -> None:
    with pytest.raises(ValueError, match="`update_every` must be 1 for Halved"):
        WeighedModel(network(), Halved(), Balance(update_every=2))


def test_refuses_a_representation_where_the_network_has_no_graph() -> None:
    class Written(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()

        @property
        def output(self) -> Any:
            return self.inner.output

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    with pytest.raises(ValueError, match="`on` must be `shared` for a network that is not funct"):
        WeighedModel(Written(), NashMTL(), Balance(on="representation"))
