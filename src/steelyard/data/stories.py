"""Stories in bAbI's format: an archive's texts, and the questions that they ask."""

import hashlib
import io
import re
import tarfile
import zlib
from typing import NamedTuple

from steelyard.data.files import File
from steelyard.data.text import words

SUMS = "SHA256SUMS"  # of the archive's members; the publisher's own archive holds none
LINE = re.compile(r"(\d+)\s+(\S.*)")
END = "."  # of a sentence, as a word of its own
SHOWN = 60  # characters of a line that an error shows


class Question(NamedTuple):
    """A question, and what its file says of it.

    Attributes:
        story: The sentences told before it; their words stand between spaces.
        words: Its words.
        answer: Its answer; empty where the file has none.
        support: Which sentence of the story the file names first as supporting the answer; None
            where it names none.
    """

    story: tuple[str, ...]
    words: list[str]
    answer: str
    support: int | None


def unpack(file: File, folder: str) -> dict[str, bytes]:
    """Returns the texts in a folder of an archive, by `folder/name`, checked against its hashes.

    Raises:
        ValueError: It is no archive, or a text has another hash than its SHA256SUMS says.
    """
    texts, sums = {}, ""
    content = io.BytesIO(file.read())
    try:
        with tarfile.open(fileobj=content, mode="r:gz") as archive:
            for member in archive:
                name = "/".join(member.name.split("/")[-2:])
                is_sums = name.rpartition("/")[2] == SUMS
                is_wanted = member.isfile() and (is_sums or name.startswith(f"{folder}/qa"))
                part = archive.extractfile(member) if is_wanted else None
                if part and is_sums:
                    sums = part.read().decode()
                elif part:
                    texts[name] = part.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"`{file.path}` must be a .tar.gz archive, got {error}.") from error
    wanted = {name: digest for digest, name in re.findall(r"(\w{64})\s+\*?(\S+)", sums)}
    for name, text in texts.items():
        digest = hashlib.sha256(text).hexdigest()
        if sums and wanted.get(name) != digest:
            raise ValueError(
                f"`{name}` must have the sha256 that {SUMS} gives it, {wanted.get(name, 'none')}, "
                f"got {digest}."
            )
    return texts


def parse(content: bytes, path: str, *, is_labelled: bool = False) -> list[list[Question]]:
    """Returns the questions of a text in bAbI's format, by the block that tells their story.

    The lines of a block are numbered from 1. One that ends in "?" or has a tab is a question; tabs
    part it from its answer, and that from the numbers of the lines that support it.

    Args:
        content: The text.
        path: What an error calls it.
        is_labelled: Whether each question must have an answer.

    Raises:
        ValueError: A line is not so, or there is no question.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"`{path}` must be UTF-8 text, got {error}.") from error
    blocks: list[list[Question]] = []
    told: dict[str, str] = {}  # the block's sentences, by line number
    last = 0
    for line in filter(str.strip, lines):
        match = LINE.fullmatch(line)
        number = int(match[1]) if match else 0
        if not match or number not in {1, last + 1}:
            raise ValueError(
                f"`{path}` must number the lines of each story from 1, got "
                f"{line[:SHOWN]!r} after {last}."
            )
        if number == 1:
            blocks.append([])
            told = {}
        last = number
        text, *labels = match[2].split("\t")
        if labels or text.rstrip().endswith("?"):
            blocks[-1].append(_ask(text, labels, told, path, is_labelled=is_labelled))
        else:
            told[match[1]] = " ".join([*words(text), END])
    if not any(blocks):
        raise ValueError(f"`{path}` must hold a question, got none.")
    return [block for block in blocks if block]


def _ask(
    text: str, labels: list[str], told: dict[str, str], path: str, *, is_labelled: bool
) -> Question:
    """Returns a question about the sentences told so far, by line number."""
    answer, support = (*labels, "", "")[:2]
    answer, first = answer.strip(), support.split()[:1]
    lacking = {
        "words": not words(text),
        "a story": not told,
        "an answer": is_labelled and not answer,
        "supporting lines of its own story": first and first[0] not in told,
    }
    for what, is_lacking in lacking.items():
        if is_lacking:
            raise ValueError(f"`{path}` must give each question {what}, got {text[:SHOWN]!r}.")
    place = list(told).index(first[0]) if first else None
    return Question(tuple(told.values()), words(text), answer, place)
