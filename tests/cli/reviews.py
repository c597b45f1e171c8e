"""A small table of reviews, as the tests of `steelyard data` change it."""

from typing import Any

import numpy as np
import pandas as pd

N = 200
NUMBER = np.arange(N)


def reviews(**columns: Any) -> pd.DataFrame:
    """Returns a table of two hundred reviews, by fifty people."""
    draw = np.random.default_rng(0)
    whole = {
        "review": [" ".join(draw.choice(["good", "bad", "fine", "odd"], 8)) for _ in NUMBER],
        "user_id": NUMBER // 4,
        "price": draw.normal(50, 10, N).round(2),
        "age": draw.integers(18, 90, N),
        "label": draw.choice(["a", "b", "c"], N),
    }
    return pd.DataFrame({**whole, **columns})
