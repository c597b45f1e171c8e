"""bAbI as it was published: its configuration reads all tasks that are at hand."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.babi import Babi
from steelyard.data.source import PADDING, SPLITS, UNKNOWN
from steelyard.task import NO_CLASS

CONF = Path(__file__).parents[2] / "conf/data/babi.yaml"
N_ANSWERS = {
    "1k": (6, 6, 6, 6, 7, 2, 4, 13, 2, 3, 6, 6, 6, 6, 4, 4, 2, 2, 12, 7),
    "10k": (6, 6, 0, 6, 7, 2, 4, 16, 2, 3, 6, 6, 6, 6, 4, 4, 2, 2, 12, 7),  # qa3 is not at hand
}


def test_the_configuration_is_the_constructor_s_defaults() -> None:
    source = construct(OmegaConf.load(CONF))
    default = Babi(file=source.file)
    assert dataclasses.replace(source, babi_tasks=tuple(source.babi_tasks)) == default


@pytest.mark.parametrize("size", ["1k", pytest.param("10k", marks=pytest.mark.slow)])
def test_all_published_tasks_are_read(real_data: Path, size: str) -> None:
    given = [n for n, answers in enumerate(N_ANSWERS[size], start=1) if answers]
    source = construct(OmegaConf.merge(OmegaConf.load(CONF), {"size": size, "babi_tasks": given}))
    found = [len(task.classes) for task in source.tasks]
    assert found == [answers for answers in N_ANSWERS[size] if answers]
    targets = source.load("test").targets
    n_labelled = {n: int((targets[f"qa{n}"] != NO_CLASS).sum()) for n in given}
    lacking = {8: 1} if size == "1k" else {}  # one answer of that test is not in its train file
    assert n_labelled == {n: 1000 - lacking.get(n, 0) for n in given}
    stop = source.fitted["story"]["words"].index(".") + UNKNOWN + 1
    for split in SPLITS:
        for name, tokens in source.load(split).inputs.items():
            is_word = tokens != PADDING
            n_words = is_word.sum(axis=1)
            assert n_words.min() >= 1
            np.testing.assert_array_equal(is_word, np.arange(tokens.shape[1]) < n_words[:, None])
            assert (tokens != UNKNOWN).all(), (split, name)
            if name == "story":
                assert (tokens[np.arange(len(tokens)), n_words - 1] == stop).all()


@pytest.mark.parametrize(("size", "n_train"), [("1k", 1000), ("10k", 10_000)])
def test_the_first_task_is_as_it_was_published(real_data: Path, size: str, n_train: int) -> None:
    source = construct(OmegaConf.merge(OmegaConf.load(CONF), {"size": size}))
    places = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
    assert source.tasks[0].classes == places
    examples = {split: source.load(split) for split in SPLITS}
    sizes = {split: len(each.inputs["story"]) for split, each in examples.items()}
    assert sizes["train"] == 0.9 * n_train
    assert 0.097 * n_train <= sizes["valid"] <= 0.1 * n_train
    assert sizes["test"] == 1000
    for split in ("train", "test"):
        assert 0.17 < np.bincount(examples[split].targets["answer"]).max() / sizes[split] < 0.19
    assert source.inputs[0].vocabulary == 22
    assert {
        each.inputs["question"].astype(bool).sum(axis=1).max() for each in examples.values()
    } == {3}


def test_the_train_file_that_is_not_at_hand_is_named(real_data: Path) -> None:
    source = construct(OmegaConf.merge(OmegaConf.load(CONF), {"babi_tasks": [3]}))
    with pytest.raises(ValueError, match=r"must hold en-10k/qa3_\*_train.txt once, got it 0 times"):
        source.load("train")
