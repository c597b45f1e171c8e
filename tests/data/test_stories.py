"""Archives of stories: what their texts must be, and the format that they must have."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from steelyard.data.babi import Babi
from steelyard.data.files import File
from tests.data.stories import (
    ASKED,
    AT_ATTIC,
    AT_HALL,
    NO,
    SUMS,
    TEXTS,
    babi,
    hashes,
    packed,
)


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


def test_refuses_new_questions_that_are_no_utf_8_text(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_bytes(b"1 Jos\xe9 left.\n2 Who left?\n")
    with pytest.raises(ValueError, match=r"new.txt` must be UTF-8 text, got .*0xe9"):
        babi(tmp_path).read_inputs(str(path), {})
