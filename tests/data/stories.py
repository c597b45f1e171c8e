"""Small archives of stories in bAbI's format, and what reads them."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.data.babi import Babi
from steelyard.data.files import File
from steelyard.data.source import Examples

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
