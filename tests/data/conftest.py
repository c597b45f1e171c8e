"""What the tests of tables start from."""

from pathlib import Path

import numpy as np
import pytest

from steelyard.data.source import SPLITS
from tests.data.tables import frame, rows_of, table_of


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, np.ndarray]:
    """The rows of each split, which depend on the number of rows and the seed alone."""
    table = table_of(tmp_path, frame())
    return {split: rows_of(table, split) for split in SPLITS}
