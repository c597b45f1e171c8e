"""A run's key: what changes it, what does not, and which code it depends on."""

import ast
from typing import Any

import pytest

from steelyard.identity import label_of, name_of_setting
from steelyard.tracking.run_key import _plain, modules_of, run_key

METHODS = ("fixed", "dwa", "uncertainty", "nash_mtl")
CLASSES = dict(zip(METHODS, ("Fixed", "DWA", "Uncertainty", "NashMTL"), strict=True))

Config = dict[str, Any]


def config(method: str = "dwa", **changes: Any) -> Config:
    return {
        "study": "posts",
        "seed": 0,
        "output": "outputs",
        "data": {
            "_target_": "steelyard.data.posts_synthetic.PostsSynthetic",
            "noise": {"age": 0.2, "income": 0.2, "gender": 0.2},
            "n_train": 64,
        },
        "weighting": {"_target_": f"steelyard.weighting.{method}.{CLASSES[method]}"},
        "optimizer": {"_target_": "keras.optimizers.Adam", "learning_rate": 1},
        "loss_weights": {"rule": "equal", "age": 0.25},
        "tracker": {"_target_": "steelyard.tracking.mlflow.MlflowTracker"},
        "training": {"is_quick": True, "stages": [1, 2]},
        **changes,
    }


def same(one: Config, other: Config) -> bool:
    return run_key(one, "data") == run_key(other, "data")


def plain(source: str) -> Any:
    return _plain(ast.parse(source))


def test_a_key_is_sixteen_digits_that_name_a_folder() -> None:
    key = run_key(config(), "data")
    assert len(key) == 16
    assert set(key) <= set("0123456789abcdef")
    assert key == run_key(config(), "data")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("study", "clothing"),
        ("tracker", {"_target_": "steelyard.tracking.tracker.Tracker"}),
        ("output", "/elsewhere"),
        ("sweep_id", "0123"),
    ],
)
def test_what_decides_no_number_is_not_in_the_key(name: str, value: Any) -> None:
    assert same(config(), config(**{name: value}))
    without = {each: kept for each, kept in config().items() if each != name}
    assert same(config(), without)


def test_the_order_of_a_configuration_is_not_in_the_key() -> None:
    assert same(config(), dict(reversed(config().items())))


def test_one_and_one_point_zero_are_the_same_number() -> None:
    optimizer = {**config()["optimizer"], "learning_rate": 1.0}
    assert same(config(), config(optimizer=optimizer, seed=0.0))
    assert same(config(), config(training={"is_quick": True, "stages": [1.0, 2.0]}))


def test_seeds_too_large_for_a_float_have_their_own_keys() -> None:
    assert not same(config(seed=2**53), config(seed=2**53 + 1))


def test_true_is_no_number_and_text_is_none_either() -> None:
    for other in (1, 1.0, "true", False, None):
        assert not same(config(), config(training={"is_quick": other, "stages": [1, 2]}))
    assert not same(config(), config(seed="0"))


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"loss_weights": {"rule": "equal", "age": 0.2500001}},
        {"loss_weights": {"rule": "equal", "income": 0.25}},
        {"training": {"is_quick": True, "stages": [2, 1]}},
        {"training": {"is_quick": True, "stages": [1, 2], "patience": 0}},
        {"optimizer": {"_target_": "keras.optimizers.SGD", "learning_rate": 1}},
    ],
)
def test_a_value_is_in_the_key(changes: Config) -> None:
    assert not same(config(), config(**changes))


def test_a_value_deep_in_the_data_is_in_the_key() -> None:
    changed = config()
    changed["data"]["noise"]["gender"] = 0.3
    assert not same(config(), changed)


def test_the_data_are_in_the_key() -> None:
    assert run_key(config(), "one file") != run_key(config(), "another")


def test_each_method_has_its_key() -> None:
    assert len({run_key(config(method), "data") for method in METHODS}) == len(METHODS)


@pytest.mark.parametrize(
    ("loss_weights", "label"),
    [
        ({"rule": "equal"}, "equal"),
        ({"rule": "equal", "x": 1, "y": 1.0}, "equal"),
        ({"rule": "equal", "y": 1}, "equal"),  # x is 1 by the rule
        ({"rule": "inverse_start", "x": 1, "y": 1}, "equal"),  # the rule has no head left
        ({"rule": "inverse_start", "y": 1}, "inverse_start y=1"),
        ({"rule": "inverse_start"}, "inverse_start"),
        ({"rule": "equal", "x": 2, "y": 2}, "x=2 y=2"),  # twice the step
        ({"rule": "equal", "x": 0.25}, "x=0.25"),
        ({"rule": "equal", "x": 1, "y": 0}, "x alone"),
    ],
)
def test_numbers_that_are_all_one_are_equal_weights(
    loss_weights: dict[str, Any], label: str
) -> None:
    assert label_of(loss_weights, ["x", "y"]) == label
    settings = {**config(), "loss_weights": loss_weights}
    told = "dwa" if label == "equal" else f"dwa {label}"
    assert name_of_setting(settings, ["x", "y"]) == told


SOURCE = """
def weigh(losses):
    return losses * 2
"""
SPOKEN = '''"""A module that says what it is for."""

# a reason


def weigh(
    losses,
):
    """Weighs."""

    # another reason
    return losses * 2  # and a third
'''


def test_comments_docstrings_and_blank_lines_are_no_code() -> None:
    assert plain(SOURCE) == plain(SPOKEN)


def test_a_docstring_alone_is_an_empty_class() -> None:
    assert plain('class Base:\n    """Says."""') == plain('class Base:\n    """Says more."""')


@pytest.mark.parametrize(
    "changed",
    [
        SOURCE.replace("2", "3"),
        SOURCE.replace("2", "2.0"),
        SOURCE.replace("*", "+"),
        SOURCE.replace("losses", "values"),
        SOURCE.replace("(losses)", "(losses=None)"),
        SOURCE.replace("return", "losses ="),
        SOURCE.replace("2", "'2'"),
        SOURCE.replace("2", "True"),
        SOURCE.replace("losses * 2", "None"),
        SOURCE.replace("    return", "    losses = abs(losses)\n    return"),
        "@cache" + SOURCE,
        SOURCE + "\nweigh(1)\n",
    ],
)
def test_code_is_code(changed: str) -> None:
    assert plain(changed) != plain(SOURCE)


def test_a_text_that_is_used_is_code() -> None:
    assert plain("name = 'a'") != plain("name = 'b'")
    assert plain("def f():\n    '''Says.'''\n    return 'a'") != plain("def f():\n    return 'b'")


@pytest.mark.parametrize("method", METHODS)
def test_a_run_depends_on_its_method_and_on_no_other(method: str) -> None:
    modules = modules_of(config(method))
    assert f"steelyard.weighting.{method}" in modules
    assert "steelyard.weighting.base" in modules
    for other in set(METHODS) - {method, "fixed"}:  # the step weighs by `fixed` where none is given
        assert f"steelyard.weighting.{other}" not in modules


def test_a_run_depends_on_its_source_and_on_what_trains_it() -> None:
    modules = modules_of(config())
    named = {"data.posts_synthetic", "data.source", "data.tensors", "task", "arrays"}
    named |= {"training.pipeline", "training.step", "training.fit", "models.network"}
    assert {f"steelyard.{name}" for name in named} <= modules
    assert "steelyard.data.table" not in modules


def test_a_table_brings_its_columns_files_and_split() -> None:
    column = {"_target_": "steelyard.data.text.Text"}
    table = {"_target_": "steelyard.data.table.Table", "inputs_from": {"text": column}}
    modules = modules_of(config(data=table))
    for name in ("table", "column", "target", "files", "reading", "split", "text"):
        assert f"steelyard.data.{name}" in modules
    assert "steelyard.data.image" not in modules
    assert "steelyard.data.posts_synthetic" not in modules


@pytest.mark.parametrize("room", ["tracking", "cli", "analysis", "run", "construct"])
def test_no_run_depends_on_what_only_tells_of_it(room: str) -> None:
    for method in METHODS:
        modules = modules_of(config(method))
        assert not [each for each in modules if each.startswith(f"steelyard.{room}")]


def test_names_of_other_packages_are_passed_over() -> None:
    assert not [each for each in modules_of(config()) if not each.startswith("steelyard.")]
