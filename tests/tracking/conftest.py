"""What the tests of MLflow start from: one database for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steelyard.tracking.mlflow_client import Place, client_of, experiment_of
from tests.tracking.mirror import STUDY


@pytest.fixture(scope="package")
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An output folder with a database, which takes ten seconds to make and is made once."""
    folder = tmp_path_factory.mktemp("outputs")
    experiment_of(Place(folder), STUDY)
    yield folder
    client_of.cache_clear()
