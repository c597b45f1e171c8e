"""Small networks, and the example's: inputs, heads, and what builds them."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.source import Input
from steelyard.models.encoder import Encoder
from steelyard.models.network import Network
from steelyard.models.numbers import Dense, Embedding
from steelyard.task import Task

CONF = Path(__file__).parents[2] / "conf"
AGE = Task(name="age", unit="years")
INCOME = Task(name="income", kind="multiclass", classes=tuple(f"bracket {n}" for n in range(10)))
GENDER = Task(name="gender", kind="binary", classes=("female", "male"))
TASKS = (AGE, INCOME, GENDER)
HEADS = [task.name for task in TASKS]
BODY = Input(name="body", kind="numeric", shape=(3,))
TOWN = Input(name="town", kind="category", shape=(1,), dtype="int32", vocabulary=7)
NUMBERS: dict[str, Encoder] = {"numeric": Dense(units=()), "category": Embedding(units=2)}


def text(length: int, vocabulary: int = 100) -> Input:
    return Input(name="text", kind="text", shape=(length,), dtype="int32", vocabulary=vocabulary)


def posts() -> Network:
    network: Network = construct(OmegaConf.load(CONF / "model" / "posts.yaml"))
    return network


def small(**knobs: Any) -> Network:
    return Network(**{"encoders": NUMBERS, "trunk": (5,), **knobs})
