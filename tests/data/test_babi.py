"""bAbI: what a question's story is, which head its answer labels, and what is held out."""

import dataclasses
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.babi import Babi
from steelyard.data.files import File
from steelyard.data.source import PADDING, SPLITS, UNKNOWN, Examples
from steelyard.task import NO_CLASS

CONF = Path(__file__).parents[2] / "conf/data/babi.yaml"
SUMS = "SHA256SUMS"
AT_HALL = "1 Mary went to the hall.\n2 Where is Mary? \thall\t1\n"
AT_ATTIC = AT_HALL + (
    "3 John went to the attic.\n4 Mary went to the attic.\n5 Where is John? \tattic\t3\n"
)
AT_SHED = "1 John went to the hall.\n2 Mary went to the shed.\n3 Where is Mary?\tshed\t2\n"
ASKED = (
    "1 Ann went to the hall.\n2 John went to the hall.\n"
    "3 Where is John? \tattic\t2\n4 Where is Ann? \tcellar\t1\n"
)
YES = "1 Mary went to the park.\n2 Is Mary in the park? \tyes\t1\n"
NO = "1 John went to the den.\n2 Is John in the hall? \tno\t1\n"
RAN = AT_HALL.replace("went", "ran")
Texts = Mapping[str, str]
TEXTS: Texts = {
    "qa1_single-supporting-fact_train": AT_ATTIC + AT_SHED,
    "qa1_single-supporting-fact_test": ASKED,
    "qa6_yes-no-questions_train": YES + NO,
    "qa6_yes-no-questions_test": YES + NO,
    "qa11_basic-coreference_train": RAN + RAN.replace("Mary", "Ann"),  # begins as qa1 does
    "qa11_basic-coreference_test": ASKED,
}
HOLDS_FIRST, HOLDS_SECOND = 0, 4  # seeds that hold out the one of two blocks, in order of words
N_ANSWERS = {
    "1k": (6, 6, 6, 6, 7, 2, 4, 13, 2, 3, 6, 6, 6, 6, 4, 4, 2, 2, 12, 7),
    "10k": (6, 6, 0, 6, 7, 2, 4, 16, 2, 3, 6, 6, 6, 6, 4, 4, 2, 2, 12, 7),  # qa3 is not at hand
}


def packed(folder: Path, texts: Texts, sums: str | None = None, root: str = "tasks/") -> File:
    """Returns an archive of texts at 10k, and of SHA256SUMS where it is given."""
    members = {f"en-10k/{name}.txt": text for name, text in texts.items()}
    if sums is not None:
        members[SUMS] = sums
    path = folder / "babi.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(root + name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return File(path=str(path))


def hashes(texts: Texts) -> str:
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    return "".join(f"{digest}  en-10k/{name}.txt\n" for name, digest in digests.items())


def babi(
    folder: Path, train: str = TEXTS["qa1_single-supporting-fact_train"], **knobs: Any
) -> Babi:
    """Returns a source that learns of the attic, and holds out the shed."""
    texts = {**TEXTS, "qa1_single-supporting-fact_train": train}
    small = {"valid": 0.5, "longest": 12, "question_length": 4, "seed": HOLDS_FIRST}
    return Babi(file=packed(folder, texts), **{**small, **knobs})


def read(source: Babi, tokens: np.ndarray) -> list[str]:
    """Returns the texts [N] of tokens [N, length]."""
    names = ["", "<unknown>", *source.fitted["story"]["words"]]
    return [" ".join(names[token] for token in row).strip() for row in tokens]


def blocks(n: int) -> str:
    """Returns as many different stories with two questions each."""
    return "".join(
        f"1 Mary saw thing{k}.\n2 What did Mary see? \tthing\t1\n3 John saw it.\n"
        f"4 Who saw thing{k}? \tMary,John\t1 3\n"
        for k in range(n)
    )


def assert_same(one: Examples, other: Examples) -> None:
    for arrays, others in zip(one, other, strict=True):
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name, strict=True)


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


def test_a_task_s_blocks_are_drawn_alike_whatever_tasks_are_beside_it(tmp_path: Path) -> None:
    alone = babi(tmp_path, blocks(20))
    beside = babi(tmp_path, blocks(20), babi_tasks=(6, 1))
    shown = read(alone, alone.load("train").inputs["story"])
    told = read(beside, beside.load("train").inputs["story"])
    assert told[-len(shown) :] == shown


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


def test_new_questions_are_read_as_those_of_train_without_their_answers(tmp_path: Path) -> None:
    source = babi(tmp_path)
    fitted = json.loads(json.dumps(source.fitted))
    path = tmp_path / "new.txt"
    path.write_bytes(
        b"\xef\xbb\xbf" + ASKED.replace(" \tattic\t2", "").replace("\n", "\r\n").encode()
    )
    found = babi(tmp_path).read_inputs(str(path), fitted)
    assert_same(Examples(found, {}), Examples(source.load("test").inputs, {}))


def test_the_fingerprint_is_of_the_texts_that_are_read_however_they_are_packed(
    tmp_path: Path,
) -> None:
    sums = hashes(TEXTS)
    packings: list[dict[str, Any]] = [{}, {"sums": sums}, {"root": "./a/b/"}]
    found = {Babi(file=packed(tmp_path, TEXTS, **each)).fingerprint for each in packings}
    assert len(found) == 1
    more = babi(tmp_path, babi_tasks=(1, 6)).fingerprint
    others = babi(tmp_path, AT_ATTIC + NO).fingerprint
    assert len(found | {more, others}) == 3


@pytest.mark.parametrize("root", ["", "tasks/", "./tasks/"])
def test_the_hashes_in_an_archive_are_those_that_its_texts_must_have(
    tmp_path: Path, root: str
) -> None:
    name = "qa1_single-supporting-fact_test"
    changed = {**TEXTS, name: ASKED.replace("attic", "hall")}
    message = f"`en-10k/{name}.txt` must have the sha256 that {SUMS} gives it, [0-9a-f]{{64}}, got"
    with pytest.raises(ValueError, match=message):
        Babi(file=packed(tmp_path, changed, hashes(TEXTS), root)).load("train")
    unlisted = {each: text for each, text in TEXTS.items() if each != name}
    with pytest.raises(ValueError, match=f"that {SUMS} gives it, none, got"):
        Babi(file=packed(tmp_path, TEXTS, hashes(unlisted), root)).load("train")
    assert Babi(file=packed(tmp_path, TEXTS, hashes(TEXTS), root), valid=0.5).load("train")


def test_refuses_an_archive_without_a_text_that_is_asked_for(tmp_path: Path) -> None:
    lacking = {name: text for name, text in TEXTS.items() if name != "qa6_yes-no-questions_train"}
    source = Babi(file=packed(tmp_path, lacking), babi_tasks=(1, 6), valid=0.5)
    with pytest.raises(ValueError, match=r"must hold en-10k/qa6_\*_train.txt once, got it 0 times"):
        source.load("train")
    small = dataclasses.replace(source, size="1k", babi_tasks=(1,))
    with pytest.raises(ValueError, match=r"must hold en/qa1_\*_train.txt once, got it 0 times"):
        small.load("train")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_refuses_what_is_no_archive_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "babi.tar.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"` must be a .tar.gz archive, got .*\.$") as told:
        Babi(file=File(path=str(path))).load("train")
    assert "\n" not in str(told.value)


def test_refuses_an_archive_that_breaks_off(tmp_path: Path) -> None:
    file = packed(tmp_path, TEXTS)
    path = Path(file.path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"` must be a .tar.gz archive, got"):
        Babi(file=file).load("train")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (AT_HALL.replace("\thall\t1", ""), "must give each question an answer, got 'Where is"),
        (AT_HALL.replace("\t1", "\t2"), "each question supporting lines of its own story, got"),
        ("1 Where is Mary? \thall\t1\n", "must give each question a story, got 'Where is Mary"),
        ("1 Mary left.\n2 ? \thall\t1\n", "must give each question words, got"),
        ("1 Mary left.\n3 Who left? \tMary\t1\n", "must number the lines .* got '3 Who .* after 1"),
        (
            "2 Mary left.\n3 Who left? \tMary\t2\n",
            "must number the lines .* got '2 Mary .* after 0",
        ),
        ("Mary left.\nWho left? \tMary\n", "must number the lines of each story from 1, got 'Mary"),
        ("1 Mary left.\n", "must hold a question, got none"),
        ("\n", "must hold a question, got none"),
        (AT_HALL, "`valid` must hold out some of the 1 different blocks of qa1 and leave some"),
    ],
)
def test_refuses_a_text_that_is_not_of_the_format(tmp_path: Path, train: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as told:
        babi(tmp_path, train).load("train")
    assert "\n" not in str(told.value)


def test_refuses_to_hold_out_nothing_but_what_train_shows(tmp_path: Path) -> None:
    message = "`valid` must hold out stories that train lacks, got 0"
    source = babi(tmp_path, AT_HALL + AT_ATTIC, seed=HOLDS_FIRST)
    with pytest.raises(ValueError, match=message):
        source.load("train")


def test_refuses_to_ask_for_a_support_that_is_never_kept(tmp_path: Path) -> None:
    message = "`longest` must keep a supporting sentence in train, got 5"
    with pytest.raises(ValueError, match=message):
        babi(tmp_path, supporting_fact=True, longest=5).load("train")


def test_refuses_new_questions_that_are_no_utf_8_text(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_bytes(b"1 Jos\xe9 left.\n2 Who left?\n")
    with pytest.raises(ValueError, match=r"new.txt` must be UTF-8 text, got .*0xe9"):
        babi(tmp_path).read_inputs(str(path), {})


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
