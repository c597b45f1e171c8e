"""Each dial turns what it says it turns, and nothing else; ceilings are where they are said."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.dials import SPREAD, Dials
from steelyard.data.source import SPLITS, Examples, Split

CONFIGURATION = Path(__file__).parents[2] / "conf/data/dials.yaml"
MANY = 40_000


def assert_same(one: Examples, other: Examples, *, besides: str = "") -> None:
    for arrays, others in zip(one, other, strict=True):
        assert arrays.keys() == others.keys()
        for name in arrays.keys() - {besides}:
            np.testing.assert_array_equal(arrays[name], others[name], err_msg=name, strict=True)


def signals(**knobs: Any) -> np.ndarray:
    """Returns what can be learned of the targets of many examples [K, N]."""
    return np.stack(list(Dials(n_train=MANY, **knobs).load("train").targets.values()))


@pytest.mark.parametrize("split", SPLITS)
def test_the_same_knobs_give_the_same_arrays_and_another_seed_others(split: Split) -> None:
    assert_same(Dials(seed=3).load(split), Dials(seed=3).load(split))
    one, other = Dials(seed=3).load(split), Dials(seed=4).load(split)
    for name, array in {**one.inputs, **one.targets}.items():
        assert (array != {**other.inputs, **other.targets}[name]).all(), name


def test_splits_share_no_example() -> None:
    rows = [row.tobytes() for split in SPLITS for row in Dials().load(split).inputs["left"]]
    assert len(set(rows)) == len(rows) == 4096 + 2 * 1024


def test_arrays_are_what_the_source_says_of_them() -> None:
    three = (1.0, 1.0, 1.0)
    source = Dials(scale=three, noise=three, labelled=three, n_train=103)
    for split, n in zip(SPLITS, (103, 25, 25), strict=True):
        examples = source.load(split)
        assert tuple(examples.inputs) == tuple(each.name for each in source.inputs)
        for each in source.inputs:
            assert examples.inputs[each.name].shape == (n, *each.shape) == (n, 8)
            assert examples.inputs[each.name].dtype == each.dtype == "float32"
        assert tuple(examples.targets) == source.task_names == ("task_0", "task_1", "task_2")
        for target in examples.targets.values():
            assert target.shape == (n,)
            assert target.dtype == "float32"
    assert tuple(task.name for task in source.tasks) == source.task_names
    assert source.input_kinds == {"left": ("numeric", 0), "right": ("numeric", 0)}
    assert source.fingerprint == ""


def test_a_target_without_noise_is_its_direction_of_the_hidden_signal() -> None:
    source = Dials(scale=(1.0, 5.0))
    examples = source.load("valid")
    hidden = np.concatenate([examples.inputs["left"], examples.inputs["right"]], axis=1)
    signal = np.tanh(hidden.astype("float64")) @ source.directions() / 0.627929  # sqrt(0.3942945)
    np.testing.assert_allclose(examples.targets["task_0"], signal[:, 0], atol=1e-5)
    np.testing.assert_allclose(examples.targets["task_1"], 5 * signal[:, 1], atol=1e-5)


def test_the_spread_of_the_signal_is_the_one_that_the_integral_gives() -> None:
    z = np.linspace(-12, 12, 200_001)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    assert np.trapezoid(np.tanh(z) ** 2 * density, z) == pytest.approx(SPREAD**2, rel=1e-12)


def test_signals_have_mean_0_and_variance_1() -> None:
    found = signals()
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=0.02)
    np.testing.assert_allclose(found.var(axis=1), 1, atol=0.02)


@pytest.mark.parametrize("angle", [0.0, 30.0, 60.0, 90.0, 135.0, 180.0])
def test_the_cosine_of_the_angle_is_the_correlation_of_the_signals(angle: float) -> None:
    directions = Dials(angle=angle).directions()
    cosine = math.cos(math.radians(angle))
    expected = [[1, cosine], [cosine, 1]]
    np.testing.assert_allclose(directions.T @ directions, expected, atol=1e-12)
    np.testing.assert_allclose(np.corrcoef(signals(angle=angle)), expected, atol=0.02)


def test_the_angle_turns_the_second_task_alone() -> None:
    one, other = Dials(angle=90.0).load("train"), Dials(angle=20.0).load("train")
    assert_same(one, other, besides="task_1")
    assert (one.targets["task_1"] != other.targets["task_1"]).all()


@pytest.mark.parametrize("n_tasks", [1, 3, 16])
def test_any_number_of_tasks_is_at_right_angles(n_tasks: int) -> None:
    ones = (1.0,) * n_tasks
    directions = Dials(scale=ones, noise=ones, labelled=ones).directions()
    np.testing.assert_allclose(directions.T @ directions, np.eye(n_tasks), atol=1e-12)


@pytest.mark.parametrize("split", SPLITS)
def test_scale_multiplies_its_target_and_nothing_else(split: Split) -> None:
    plain = Dials(noise=(0.5, 0.5)).load(split)
    scaled = Dials(noise=(0.5, 0.5), scale=(1.0, 10.0)).load(split)
    assert_same(plain, scaled, besides="task_1")
    np.testing.assert_allclose(scaled.targets["task_1"], 10 * plain.targets["task_1"], rtol=1e-6)


def test_noise_adds_to_its_target_what_it_says_and_nothing_else() -> None:
    quiet, noisy = (Dials(n_train=MANY, noise=(0.0, noise)).load("train") for noise in (0.0, 0.5))
    assert_same(quiet, noisy, besides="task_1")
    error = noisy.targets["task_1"] - quiet.targets["task_1"]
    assert error.std() == pytest.approx(0.5, abs=0.01)
    assert abs(np.corrcoef(error, quiet.targets["task_1"])[0, 1]) < 0.02


def test_labelled_hides_its_share_of_its_training_targets_and_nothing_else() -> None:
    whole, partial = Dials(), Dials(labelled=(1.0, 0.25))
    for split in ("valid", "test"):
        assert_same(whole.load(split), partial.load(split))
    seen, hidden = whole.load("train"), partial.load("train")
    assert_same(seen, hidden, besides="task_1")
    is_missing = np.isnan(hidden.targets["task_1"])
    assert is_missing.mean() == pytest.approx(0.75, abs=0.03)
    np.testing.assert_array_equal(
        hidden.targets["task_1"][~is_missing], seen.targets["task_1"][~is_missing]
    )


def test_the_ceilings_are_the_shares_of_variance_that_are_signal() -> None:
    ceilings = Dials(scale=(1.0, 100.0), noise=(0.5, 2.0)).ceilings
    assert ceilings == {"task_0": pytest.approx(0.8), "task_1": pytest.approx(0.2)}
    assert Dials().ceilings == {"task_0": 1.0, "task_1": 1.0}


@pytest.mark.parametrize("angle", [45.0, 90.0])
def test_the_right_function_of_the_inputs_reaches_all_ceilings_at_once(angle: float) -> None:
    knobs: dict[str, Any] = {"n_train": MANY, "scale": (3.0, 0.01), "angle": angle}
    noisy = Dials(noise=(0.5, 2.0), **knobs)
    best = Dials(**knobs).load("train").targets  # the targets but for their noise
    for name, target in noisy.load("train").targets.items():
        r2 = 1 - np.mean((target - best[name]) ** 2) / target.var()
        assert r2 == pytest.approx(noisy.ceilings[name], abs=0.01)


def test_neither_input_is_enough_by_itself() -> None:
    directions = Dials().directions()
    shares = (directions[:8] ** 2).sum(axis=0)  # of the signal's variance that the left one shows
    assert 0.1 < shares.min() <= shares.max() < 0.9


def test_the_configuration_is_the_defaults_and_takes_other_lists() -> None:
    config: Any = OmegaConf.load(CONFIGURATION)
    for split in SPLITS:
        assert_same(construct(config).load(split), Dials().load(split))
    three = {"scale": [1, 2, 3], "noise": [0, 0, 1], "labelled": [1, 1, 0.5]}
    assert construct({**config, **three}).task_names == ("task_0", "task_1", "task_2")


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"scale": (1, 1, 1)}, "must have one entry per task each, got 3, 2 and 2 entries"),
        ({"noise": (1,)}, "must have one entry per task each, got 2, 1 and 2 entries"),
        ({"labelled": ()}, "must have one entry per task each, got 2, 2 and 0 entries"),
        (
            {"scale": (), "noise": (), "labelled": ()},
            "`scale` must have 1 to 16 entries, got 0",
        ),
        (
            {"scale": (1,) * 17, "noise": (1,) * 17, "labelled": (1,) * 17},
            "`scale` must have 1 to 16 entries, got 17",
        ),
        ({"scale": (1, 0)}, r"`scale` must hold positive numbers, got \[1, 0\]"),
        ({"scale": (1, math.inf)}, r"`scale` must hold positive numbers, got \[1, inf\]"),
        ({"scale": (1, math.nan)}, r"`scale` must hold positive numbers, got \[1, nan\]"),
        ({"noise": (0, -1)}, r"`noise` must hold numbers of at least 0, got \[0, -1\]"),
        ({"noise": (0, math.nan)}, r"`noise` must hold numbers of at least 0, got \[0, nan\]"),
        ({"labelled": (1, 0)}, r"`labelled` must hold shares in \(0, 1\], got \[1, 0\]"),
        ({"labelled": (1, 2)}, r"`labelled` must hold shares in \(0, 1\], got \[1, 2\]"),
        ({"angle": -1.0}, r"`angle` must be in \[0, 180\] degrees, got -1.0"),
        ({"angle": 181.0}, r"`angle` must be in \[0, 180\] degrees, got 181.0"),
        ({"angle": math.nan}, r"`angle` must be in \[0, 180\] degrees, got nan"),
        (
            {"scale": (1,), "noise": (1,), "labelled": (1,), "angle": 60.0},
            "`angle` must be 90 unless there are two tasks, got 60.0 for 1",
        ),
        ({"n_train": 3}, "`n_train` must be at least 4, got 3"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
    ],
)
def test_refuses_dials_that_cannot_be_set(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as told:
        Dials(**knobs)
    assert "\n" not in str(told.value)
