"""What a configuration may name: a class of ours or of Keras's, and nothing that runs code."""

from typing import Any

import keras
import pytest

from steelyard.construct import Refused, construct
from steelyard.run import optimizer_of
from steelyard.weighting.dwa import DWA

HERE = "steelyard.weighting.dwa.DWA"
MESSAGE = "`_target_` must be a class of steelyard or keras, got"


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "os.getcwd",
        "subprocess.Popen",
        "builtins.eval",
        "pathlib.Path",
        "steelyard.identity.subprocess.Popen",
        "steelyard.identity.os.getcwd",
        "keras.utils.get_file",
        "keras.saving.load_model",
        "steelyard.weighting.dwa.DWA.remember",
        "steelyard.weighting.dwa",
        "steelyard.",
        "steelyard",
        "steelyardly.weighting.dwa.DWA",
        "a.steelyard.weighting.dwa.DWA",
        f"{HERE}\n",
        "",
        7,
    ],
)
def test_what_is_no_class_of_ours_or_of_keras_s_is_refused(target: Any) -> None:
    with pytest.raises(Refused, match=MESSAGE) as told:
        construct({"_target_": target})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("target", "knobs"),
    [
        ("steelyard.tracking.mlflow.psutil.Popen", {"_args_": [["true"]]}),
        ("steelyard.data.files.zipfile.ZipFile", {"file": "made.zip", "mode": "w"}),
        ("steelyard.data.files.Path", {}),
    ],
)
def test_a_class_from_elsewhere_is_refused_by_way_of_a_module_of_ours_too(
    target: str, knobs: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match=MESSAGE):
        construct({"_target_": target, **knobs})


@pytest.mark.parametrize(
    "hidden",
    [
        {"a": {"_target_": "os.getcwd"}},
        [{"_target_": "os.getcwd"}],
        [1, [{"a": [{"_target_": "os.getcwd"}]}]],
    ],
)
def test_a_target_is_refused_however_deep_it_is_hidden(hidden: Any) -> None:
    with pytest.raises(Refused, match=f"{MESSAGE} 'os.getcwd'"):
        construct({"_target_": "steelyard.data.split.Partition", "by": hidden})


def test_classes_of_ours_and_of_keras_s_are_taken() -> None:
    assert construct({"_target_": HERE, "temperature": 3.0}) == DWA(temperature=3.0)
    optimizer = construct({"_target_": "keras.optimizers.Adam", "learning_rate": 0.5})
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert float(optimizer.learning_rate) == 0.5


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"_target_": HERE, "temperature": 0}, "`temperature` must be positive, got 0."),
        ({"_target_": HERE, "heat": 1}, "heat"),
        ({"_target_": "steelyard.weighting.dwa.Nonesuch"}, "Nonesuch"),
        ({"_target_": "keras.optimizers.Nonesuch"}, "Nonesuch"),
        ({"_target_": "steelyard.nonesuch.DWA"}, "nonesuch"),
        ({"_target_": "steelyard.task.LOSSES"}, "LOSSES"),
    ],
)
def test_what_cannot_be_constructed_is_refused_in_one_line(
    node: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message) as told:
        construct(node)
    assert "\n" not in str(told.value)


def test_a_learning_rate_may_be_a_whole_number() -> None:
    made = optimizer_of({"_target_": "keras.optimizers.SGD", "learning_rate": 1, "momentum": 0.5})
    assert float(made.learning_rate) == 1.0
    assert made.momentum == 0.5
