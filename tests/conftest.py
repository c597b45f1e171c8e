"""What every test starts from: quiet libraries, and a real data folder where there is one."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import keras
import pytest
from hypothesis import settings

from steelyard.training.runtime import Runtime

settings.register_profile("steelyard", deadline=None)  # no test asserts a time
settings.load_profile("steelyard")


@pytest.fixture(scope="session", autouse=True)
def runtime() -> None:
    """Sets TensorFlow up as runs do, before any test uses it."""
    Runtime().prepare()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Seeds everything before a test and its fixtures: no small network begins dead by chance."""
    keras.utils.set_random_seed(0)


@pytest.fixture
def real_data() -> Path:
    """The folder of real data sets; the test is skipped where there is none."""
    folder = os.environ.get("STEELYARD_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real data: set STEELYARD_DATA to the folder that holds them")
    return Path(folder)
