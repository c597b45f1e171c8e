"""What the tests of MLflow start from: one database for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steelyard.tracking.mlflow import _client, _experiment
from tests.tracking.mirror import STUDY


@pytest.fixture(scope="package")
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An output folder with a database, which takes ten seconds to make and is made once."""
    folder = tmp_path_factory.mktemp("outputs")
    _experiment(folder, STUDY)
    yield folder
    _client.cache_clear()
