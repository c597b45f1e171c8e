"""Small networks and data that the training tests share."""

from typing import Any

import keras
import numpy as np

LOSSES = {
    "age": "mse",
    "income": "sparse_categorical_crossentropy",
    "gender": "binary_crossentropy",
}
WEIGHTS = {"age": 0.1, "income": 1.0, "gender": 3.0}
N_WORDS, LENGTH, N_BRACKETS = 30, 12, 5


def tokens(n: int = 70, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns texts and the targets of three heads; 70 is no multiple of 32."""
    rng = np.random.default_rng(seed)
    texts = rng.integers(0, N_WORDS, (n, LENGTH)).astype("int32")
    return texts, {
        "age": texts.mean(axis=1).astype("float32"),
        "income": rng.integers(0, N_BRACKETS, n).astype("int32"),
        "gender": (texts[:, 0] > N_WORDS // 2).astype("float32"),
    }


def network(
    *, is_dense: bool = False, dropout: float = 0.0, seed: int = 0, is_named: bool = False
) -> keras.Model:
    """Returns three heads on an embedding, or on the same numbers by way of a dense layer."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    words = keras.Input((LENGTH,), dtype="int32", name="words")
    table = np.random.default_rng(seed).normal(size=(N_WORDS, 4)).astype("float32")
    if is_dense:
        spread = keras.ops.one_hot(words, N_WORDS)
        embedded = layers.Dense(4, use_bias=False, name="table")(spread)
    else:
        embedded = layers.Embedding(N_WORDS, 4, name="table")(words)
    if dropout:
        embedded = layers.Dropout(dropout)(embedded)
    hidden = layers.Dense(6, activation="tanh", name="trunk")(layers.Flatten()(embedded))
    outputs: dict[str, Any] = {
        "age": layers.Dense(1, name="age")(hidden),
        "income": layers.Dense(N_BRACKETS, activation="softmax", name="income")(hidden),
        "gender": layers.Dense(1, activation="sigmoid", name="gender")(hidden),
    }
    model = keras.Model({"words": words} if is_named else words, outputs)
    model.get_layer("table").set_weights([table])
    return model
