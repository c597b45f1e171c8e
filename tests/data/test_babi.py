"""bAbI: what a question's story is, and which head its answer labels."""

import json
from pathlib import Path
from typing import Any

import pytest

from steelyard.data.babi import Babi
from steelyard.data.files import File
from steelyard.data.source import SPLITS, UNKNOWN, Examples
from steelyard.task import NO_CLASS
from tests.data.stories import ASKED, assert_same, babi, blocks, read


def test_a_story_is_all_that_its_block_tells_before_the_question(tmp_path: Path) -> None:
    source = babi(tmp_path, longest=20)
    train = source.load("train")
    assert read(source, train.inputs["story"]) == [
        "mary went to the hall .",
        "mary went to the hall . john went to the attic . mary went to the attic .",
    ]
    assert read(source, train.inputs["question"]) == ["where is mary", "where is john"]
    assert source.tasks[0].classes == ("attic", "hall")
    assert train.targets["answer"].tolist() == [1, 0]


def test_tokens_number_the_words_of_train_and_padding_is_behind_them(tmp_path: Path) -> None:
    source = babi(tmp_path)
    words = [".", "attic", "hall", "is", "john", "mary", "the", "to", "went", "where"]
    assert source.fitted == {"story": {"words": words}, "question": {"words": words}}
    assert [each.vocabulary for each in source.inputs] == [12, 12]
    train = source.load("train")
    assert train.inputs["story"][0].tolist() == [7, 10, 9, 8, 4, 2, 0, 0, 0, 0, 0, 0]
    assert train.inputs["question"].tolist() == [[11, 5, 7, 0], [11, 5, 6, 0]]


def test_of_a_longer_text_the_last_words_are_kept(tmp_path: Path) -> None:
    source = babi(tmp_path, longest=8, question_length=2)
    train = source.load("train")
    assert read(source, train.inputs["story"])[1] == "attic . mary went to the attic ."
    assert read(source, train.inputs["question"]) == ["is mary", "is john"]


def test_what_train_never_told_is_unknown_and_an_answer_it_lacks_is_no_label(
    tmp_path: Path,
) -> None:
    source = babi(tmp_path)
    valid, test = source.load("valid"), source.load("test")
    told = "john went to the hall . mary went to the <unknown> ."
    assert read(source, valid.inputs["story"]) == [told]
    assert valid.targets["answer"].tolist() == [NO_CLASS]
    assert test.inputs["story"][0, 0] == UNKNOWN
    assert test.targets["answer"].tolist() == [0, NO_CLASS]


def test_arrays_are_what_the_source_says_of_them(tmp_path: Path) -> None:
    source = babi(tmp_path, babi_tasks=(1, 6), supporting_fact=True)
    assert tuple(task.name for task in source.tasks) == source.task_names
    for split in SPLITS:
        examples = source.load(split)
        assert tuple(examples.targets) == source.task_names
        n_examples = len(examples.inputs["story"])
        for each in source.inputs:
            array = examples.inputs[each.name]
            assert (array.shape, array.dtype) == ((n_examples, *each.shape), each.dtype)
            assert (each.kind, each.length) == source.input_kinds[each.name]
        for target in examples.targets.values():
            assert (target.shape, target.dtype) == ((n_examples,), "int32")


def test_heads_and_lengths_are_known_before_the_file_is_there() -> None:
    nowhere = File(path="/nowhere/babi.tar.gz")
    alone = Babi(file=nowhere)
    assert alone.task_names == ("answer",)
    assert alone.input_kinds == {"story": ("text", 68), "question": ("text", 11)}
    assert Babi(file=nowhere, supporting_fact=True).task_names == ("answer", "support")
    several = Babi(file=nowhere, babi_tasks=(6, 1), supporting_fact=True)
    assert several.task_names == ("qa6", "qa1", "support")


def test_several_tasks_label_each_its_own_head_and_share_the_words(tmp_path: Path) -> None:
    source = babi(tmp_path, babi_tasks=(1, 6))
    test = source.load("test").targets
    assert (test["qa1"][2:] == NO_CLASS).all()
    assert (test["qa6"][:2] == NO_CLASS).all()
    assert sorted(test["qa6"][2:].tolist()) == [NO_CLASS, 0]  # train has one of yes and no
    assert source.fitted["story"] == source.fitted["question"]
    assert {"where", "in"} < set(source.fitted["story"]["words"])


def test_tasks_with_the_same_answers_do_not_label_each_other_s_heads(tmp_path: Path) -> None:
    source = babi(tmp_path, babi_tasks=(1, 11))
    assert [task.classes for task in source.tasks] == [("attic", "hall"), ("hall",)]
    train = source.load("train").targets
    assert train["qa1"].tolist() == [1, 0, NO_CLASS]
    assert train["qa11"].tolist() == [NO_CLASS, NO_CLASS, 0]


def test_a_list_of_answers_is_one_class(tmp_path: Path) -> None:
    assert babi(tmp_path, blocks(4)).tasks[0].classes == ("Mary,John", "thing")


def test_support_counts_back_from_the_newest_sentence(tmp_path: Path) -> None:
    source = babi(tmp_path, supporting_fact=True)
    assert source.tasks[1].classes == ("back_0", "back_1")
    found = [source.load(split).targets["support"].tolist() for split in SPLITS]
    assert found == [[0, 1], [0], [0, 1]]


def test_of_several_supporting_sentences_the_first_named_counts(tmp_path: Path) -> None:
    story = "1 A saw.\n2 B saw.\n3 C saw.\n4 Who saw? \tall\t2 1 3\n"
    source = babi(tmp_path, story + story.replace("C", "D"), supporting_fact=True)
    assert source.load("train").targets["support"].tolist() == [1]


def test_a_supporting_sentence_that_is_not_kept_whole_is_no_label(tmp_path: Path) -> None:
    source = babi(tmp_path, supporting_fact=True, longest=11)
    assert source.tasks[1].classes == ("back_0",)
    assert source.load("train").targets["support"].tolist() == [0, NO_CLASS]
    assert source.load("test").targets["support"].tolist() == [0, NO_CLASS]


def test_new_questions_are_read_as_those_of_train_without_their_answers(tmp_path: Path) -> None:
    source = babi(tmp_path)
    fitted = json.loads(json.dumps(source.fitted))
    path = tmp_path / "new.txt"
    path.write_bytes(
        b"\xef\xbb\xbf" + ASKED.replace(" \tattic\t2", "").replace("\n", "\r\n").encode()
    )
    found = babi(tmp_path).read_inputs(str(path), fitted)
    assert_same(Examples(found, {}), Examples(source.load("test").inputs, {}))


def test_refuses_to_ask_for_a_support_that_is_never_kept(tmp_path: Path) -> None:
    message = "`longest` must keep a supporting sentence in train, got 5"
    with pytest.raises(ValueError, match=message):
        babi(tmp_path, supporting_fact=True, longest=5).load("train")


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"babi_tasks": ()}, r"`babi_tasks` must be different .* from 1 to 20, got \(\)"),
        ({"babi_tasks": (0,)}, r"`babi_tasks` must be different .*, got \(0,\)"),
        ({"babi_tasks": (21,)}, r"`babi_tasks` must be different .*, got \(21,\)"),
        ({"babi_tasks": [1, 1]}, r"`babi_tasks` must be different .*, got \[1, 1\]"),
        ({"babi_tasks": ["qa1"]}, r"`babi_tasks` must be different .*, got \['qa1'\]"),
        ({"babi_tasks": [True]}, r"`babi_tasks` must be different .*, got \[True\]"),
        ({"babi_tasks": 1}, "`babi_tasks` must be different .*, got 1"),
        ({"size": "100k"}, "`size` must be one of 1k, 10k, got '100k'"),
        ({"supporting_fact": "no"}, "`supporting_fact` must be true or false, got 'no'"),
        ({"longest": 0}, "`longest` must be at least 1, got 0"),
        ({"question_length": 0}, "`question_length` must be at least 1, got 0"),
        ({"valid": 0}, r"`valid` must be a share in \(0, 1\), got 0"),
        ({"valid": 1}, r"`valid` must be a share in \(0, 1\), got 1"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
    ],
)
def test_refuses_knobs_that_mean_nothing(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Babi(file=File(path="babi.tar.gz"), **knobs)
