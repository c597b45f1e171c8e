"""bAbI's splits: whole blocks are held out, and no story stands in two."""

from pathlib import Path

import pytest

from steelyard.data.source import SPLITS
from tests.data.stories import (
    AT_ATTIC,
    AT_HALL,
    HOLDS_FIRST,
    HOLDS_SECOND,
    NO,
    assert_same,
    babi,
    blocks,
    read,
)


def test_a_task_s_blocks_are_drawn_alike_whatever_tasks_are_beside_it(tmp_path: Path) -> None:
    alone = babi(tmp_path, blocks(20))
    beside = babi(tmp_path, blocks(20), babi_tasks=(6, 1))
    shown = read(alone, alone.load("train").inputs["story"])
    told = read(beside, beside.load("train").inputs["story"])
    assert told[-len(shown) :] == shown


def test_valid_is_its_share_of_whole_blocks_and_shares_no_story_with_train(tmp_path: Path) -> None:
    source = babi(tmp_path, blocks(40), valid=0.25)
    train, valid = (read(source, source.load(s).inputs["story"]) for s in ("train", "valid"))
    assert (len(train), len(valid)) == (2 * 30, 2 * 10)
    assert all("<unknown>" in story for story in valid)  # each block has a word of its own


def test_blocks_that_tell_the_same_story_stay_together(tmp_path: Path) -> None:
    one = "1 Mary saw it.\n2 Who saw? \tMary\t1\n"
    sources = (babi(tmp_path, one * 3 + NO, seed=seed) for seed in range(10))
    sizes = {tuple(len(s.load(split).inputs["story"]) for split in SPLITS[:2]) for s in sources}
    assert sizes == {(3, 1), (1, 3)}


def test_valid_leaves_out_a_question_whose_story_train_shows(tmp_path: Path) -> None:
    source = babi(tmp_path, AT_HALL + AT_ATTIC, seed=HOLDS_SECOND)
    assert len(source.load("train").inputs["story"]) == 1
    valid = read(source, source.load("valid").inputs["question"])
    assert valid == ["where is <unknown>"]


def test_the_same_knobs_give_the_same_arrays_and_another_seed_other_ones(tmp_path: Path) -> None:
    one, same, other = (babi(tmp_path, blocks(40), seed=seed) for seed in (1, 1, 2))
    for split in SPLITS:
        assert_same(one.load(split), same.load(split))
    told = [set(source.fitted["story"]["words"]) for source in (one, other)]
    assert told[0] != told[1]


def test_refuses_to_hold_out_nothing_but_what_train_shows(tmp_path: Path) -> None:
    message = "`valid` must hold out stories that train lacks, got 0"
    source = babi(tmp_path, AT_HALL + AT_ATTIC, seed=HOLDS_FIRST)
    with pytest.raises(ValueError, match=message):
        source.load("train")
