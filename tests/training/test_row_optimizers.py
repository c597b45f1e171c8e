"""Optimizers by rows against Keras's own, which is fed the dense gradient."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from steelyard.training.row_optimizers import LazyAdam, RowRMSprop, exact_by_rows
from tests.training.networks import LENGTH, N_WORDS, tokens

N_ROWS, WIDTH = 12, 3
RMSprop, Adam, SGD = keras.optimizers.RMSprop, keras.optimizers.Adam, keras.optimizers.SGD
Step = list[Any]  # the gradients of a table and, it may be, of a kernel


def sparse(rows: Sequence[int], rng: np.random.Generator) -> tf.IndexedSlices:
    values = rng.normal(size=(len(rows), WIDTH))
    return tf.IndexedSlices(
        tf.constant(values, tf.float32),
        tf.constant(rows, tf.int32, (len(rows),)),
        tf.constant([N_ROWS, WIDTH]),
    )


def drawn(n_steps: int, seed: int = 0) -> Iterator[Step]:
    """Yields gradients of a table, whose low rows are touched often and twice, and of a kernel."""
    rng = np.random.default_rng(seed)
    for _ in range(n_steps):
        rows = np.minimum(rng.geometric(0.3, rng.integers(0, 9)) - 1, N_ROWS - 1)
        kernel = tf.constant(rng.normal(size=(WIDTH, 2)), tf.float32)
        yield [sparse(rows, rng), kernel]


def dense(gradients: Step) -> Step:
    return [None if each is None else tf.convert_to_tensor(each) for each in gradients]


def variables() -> list[keras.Variable]:
    rng = np.random.default_rng(1)
    shapes = ((N_ROWS, WIDTH), (WIDTH, 2))
    return [keras.Variable(rng.normal(size=shape), dtype="float32") for shape in shapes]


def trained(
    optimizer: Any,
    steps: Sequence[Step],
    fed: Callable[[Step], Step] = list,
    is_compiled: bool = True,
) -> list[np.ndarray]:
    """Returns what becomes of a table and a kernel."""
    weights = variables()
    optimizer.build(weights)

    def apply(gradients: Step) -> None:
        known = [n for n, each in enumerate(gradients) if each is not None]
        optimizer.apply([gradients[n] for n in known], [weights[n] for n in known])

    step = tf.function(apply, autograph=False, reduce_retracing=True) if is_compiled else apply
    for gradients in steps:
        step(fed(gradients))
    return [np.array(each) for each in weights]


def assert_alike(ours: Any, theirs: Any, steps: Sequence[Step]) -> None:
    by_rows, whole = trained(ours, steps), trained(theirs, steps, dense)
    for one, other in zip(by_rows, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"rho": 0.5, "epsilon": 1e-3},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.5},
    {"clipvalue": 0.1},
    {"learning_rate": keras.optimizers.schedules.CosineDecay(0.05, 80)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda each: "-".join(each) or "plain")
def test_rmsprop_by_rows_has_the_numbers_of_keras_for_the_dense_gradient(
    options: dict[str, Any],
) -> None:
    given = {"learning_rate": 0.01, **options}
    assert_alike(RowRMSprop(**given), RMSprop(**given), [*drawn(100)])


@pytest.mark.parametrize("seed", range(1, 4))
def test_it_does_so_for_other_rows_and_outside_a_graph(seed: int) -> None:
    steps = list(drawn(30, seed))
    ours = trained(RowRMSprop(0.01), steps, is_compiled=False)
    theirs = trained(RMSprop(0.01), steps, dense, is_compiled=False)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_row_that_stands_twice_and_comes_back_after_a_step_has_the_numbers_worked_by_hand() -> (
    None
):
    table = keras.Variable([[1.0], [1.0]])
    optimizer = RowRMSprop(0.1, rho=0.5, epsilon=0.0)
    for values, rows in (([1.0, 3.0], [0, 0]), ([2.0], [1]), ([4.0], [0])):
        column = tf.reshape(tf.constant(values), [-1, 1])
        optimizer.apply([tf.IndexedSlices(column, tf.constant(rows), [2, 1])], [table])
    # row 0: g = 4, v = 8; one step without it, v = 4; g = 4, v = 4 / 2 + 16 / 2 = 10
    # row 1: g = 2 after one step in which its v = 0 decayed, v = 2
    np.testing.assert_allclose(
        table[:, 0], [1 - 0.1 * 4 / 8**0.5 - 0.1 * 4 / 10**0.5, 1 - 0.1 * 2 / 2**0.5], rtol=1e-6
    )


def test_a_row_touched_again_after_thirty_steps_has_caught_up() -> None:
    rng = np.random.default_rng(0)
    steps = [[sparse([5, 2] if n % 30 == 0 else [2], rng), None] for n in range(61)]
    given = {"learning_rate": 0.01, "rho": 0.99}
    assert_alike(RowRMSprop(**given), RMSprop(**given), steps)


def test_a_dense_gradient_in_between_catches_every_row_up() -> None:
    rng = np.random.default_rng(0)
    filled = tf.constant(rng.normal(size=(N_ROWS, WIDTH)), tf.float32)
    steps = [
        [filled, kernel] if n % 7 == 6 else [table, kernel]
        for n, (table, kernel) in enumerate(drawn(40))
    ]
    assert_alike(RowRMSprop(0.01), RMSprop(0.01), steps)


def test_a_step_that_leaves_the_table_out_does_not_count_for_it() -> None:
    steps = [
        [None, kernel] if n % 3 == 1 else [table, kernel]
        for n, (table, kernel) in enumerate(drawn(40))
    ]
    assert_alike(RowRMSprop(0.01), RMSprop(0.01), steps)


def test_a_vector_with_a_sparse_gradient_is_updated_whole() -> None:
    slices = tf.IndexedSlices(
        tf.constant([1.0, 2.0, 3.0]), tf.constant([4, 1, 4]), tf.constant([6])
    )
    vectors = [keras.Variable(np.ones(6), dtype="float32") for _ in range(2)]
    for optimizer, vector in zip((RowRMSprop(0.1), RMSprop(0.1)), vectors, strict=True):
        for _ in range(3):
            optimizer.apply([slices if vector is vectors[0] else dense([slices])[0]], [vector])
    np.testing.assert_allclose(*vectors, rtol=1e-6)


def test_scaled_losses_and_a_step_that_overflows_are_those_of_keras() -> None:
    steps = [[table, kernel] for table, kernel in drawn(12)]
    steps[5][1] = steps[5][1] * np.inf
    scaled = keras.optimizers.LossScaleOptimizer
    assert_alike(scaled(RowRMSprop(0.01)), scaled(RMSprop(0.01)), steps)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RowRMSprop(0.1),
        lambda: RowRMSprop(0.1, clipnorm=1.0),
        lambda: RowRMSprop(0.1, global_clipnorm=1.0),
        lambda: RowRMSprop(0.1, clipvalue=1.0),
        lambda: keras.optimizers.LossScaleOptimizer(RowRMSprop(0.1)),
        lambda: LazyAdam(0.1),
        lambda: SGD(0.1),
    ],
    ids=["rmsprop", "clipnorm", "global_clipnorm", "clipvalue", "scaled", "lazy_adam", "sgd"],
)
def test_a_graph_by_rows_holds_no_number_for_each_weight_of_the_table(
    make: Callable[[], Any],
) -> None:
    optimizer = make()
    table = variables()[0]
    optimizer.build([table])
    step = tf.function(lambda given: optimizer.apply([given], [table]), autograph=False)
    graph = step.get_concrete_function(sparse([1, 2, 1], np.random.default_rng(0))).graph
    definition = graph.as_graph_def(add_shapes=True)
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    whole = tf.TensorShape([N_ROWS, WIDTH]).as_proto()
    assert not [node.name for node in nodes if whole in node.attr["_output_shapes"].list.shape]


def test_a_network_saved_half_way_goes_on_bit_for_bit(tmp_path: Path) -> None:
    words, targets = tokens(64)
    few = np.minimum(words, 9)  # most of the table waits
    layers = [keras.layers.Embedding(N_WORDS, 4), keras.layers.Flatten(), keras.layers.Dense(1)]
    whole = keras.Sequential([keras.Input((LENGTH,), dtype="int32"), *layers])
    whole.compile(RowRMSprop(0.01), loss="mse")
    whole.fit(few, targets["age"], shuffle=False, verbose=0)
    whole.save(tmp_path / "half.keras")
    half = keras.models.load_model(tmp_path / "half.keras")
    assert type(half.optimizer) is RowRMSprop
    for each in (whole, half):
        each.fit(words, targets["age"], shuffle=False, verbose=0)
    kept = [[*each.variables, *each.optimizer.variables] for each in (whole, half)]
    for one, other in zip(*kept, strict=True):
        np.testing.assert_array_equal(one, other)


REFUSED: list[tuple[Any, str, Any, str]] = [
    (RowRMSprop, "momentum", 0.9, "0.0"),
    (RowRMSprop, "centered", True, "False"),
    (RowRMSprop, "weight_decay", 0.1, "None"),
    (RowRMSprop, "use_ema", True, "False"),
    (RowRMSprop, "gradient_accumulation_steps", 2, "None"),
    (LazyAdam, "amsgrad", True, "False"),
    (LazyAdam, "weight_decay", 0.1, "None"),
    (LazyAdam, "use_ema", True, "False"),
    (LazyAdam, "gradient_accumulation_steps", 2, "None"),
]


@pytest.mark.parametrize(("kind", "name", "value", "wanted"), REFUSED)
def test_settings_that_reach_untouched_rows_are_refused(
    kind: Any, name: str, value: Any, wanted: str
) -> None:
    with pytest.raises(ValueError, match=f"^`{name}` must be {wanted}, got {value}: it would"):
        kind(0.01, **{name: value})


def test_a_plain_rmsprop_is_replaced_with_all_its_settings() -> None:
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    for given in (RMSprop(0.02, rho=0.8, epsilon=1e-5, clipnorm=2.0), RMSprop(rate, name="mine")):
        replaced = exact_by_rows(given)
        assert type(replaced) is RowRMSprop
        assert replaced.get_config() == given.get_config()


def test_a_function_of_ones_own_stays_the_learning_rate() -> None:
    replaced = exact_by_rows(RMSprop(lambda: 0.25))
    assert type(replaced) is RowRMSprop
    assert replaced.learning_rate == 0.25


def test_every_other_optimizer_is_left_alone() -> None:
    built = RMSprop(0.1)
    built.build(variables())
    others = [
        built,
        *(RMSprop(0.1, **{name: value}) for kind, name, value, _ in REFUSED if kind is RowRMSprop),
        RowRMSprop(0.1),
        SGD(0.1),
        SGD(0.1, momentum=0.9),
        Adam(0.1),
        keras.optimizers.LossScaleOptimizer(RMSprop(0.1)),
        "rmsprop",
    ]
    for each in others:
        assert exact_by_rows(each) is each


def test_sgd_of_keras_has_the_numbers_of_the_dense_gradient_as_it_is() -> None:
    assert_alike(SGD(0.1), SGD(0.1), list(drawn(30)))


def test_lazy_adam_is_adam_where_every_step_touches_every_row() -> None:
    rng = np.random.default_rng(0)
    rows = [*range(N_ROWS), 3, 3, 0]
    steps = [[sparse(rows, rng), kernel] for _, kernel in drawn(30)]
    assert_alike(LazyAdam(0.01), Adam(0.01), steps)


def test_lazy_adam_lets_a_row_stand_still_that_adam_moves_on() -> None:
    rng = np.random.default_rng(0)
    steps = [[sparse(rows, rng), None] for rows in ([4], [7], [7])]
    start, first = variables()[0].numpy(), trained(LazyAdam(0.01), steps[:1])[0]
    lazy, adam = trained(LazyAdam(0.01), steps)[0], trained(Adam(0.01), steps, dense)[0]
    assert (first[4] != start[4]).all()
    np.testing.assert_array_equal(lazy[4], first[4])
    assert (np.abs(adam[4] - first[4]) > 1e-3).all()
