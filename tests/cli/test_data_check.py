"""`steelyard data check`: what is wrong with data, and what is doubtful, is told beforehand."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from omegaconf import OmegaConf

from tests.cli.reviews import NUMBER, N, reviews


def test_check_tells_what_is_doubtful_and_counts_it(steelyard: Any) -> None:
    frame = reviews()
    frame["hint"] = frame["label"].map({"a": 1.5, "b": 2.5, "c": 4.5})
    frame.to_csv("mine.csv", index=False)
    steelyard("describe", "mine.csv", "--heads", "age,label")
    code, out, err = steelyard("check", "data/mine.yaml")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert any(line.startswith("doubt: `hint` gives `label` away by itself") for line in lines)
    n = sum(line.startswith("doubt: ") for line in lines)
    assert lines[-1] == f"0 errors, {n} doubt{'s' * (n != 1)}"
    assert any(line.startswith("Rows: train ") for line in lines)


@pytest.mark.parametrize(
    "words",
    [["mine", "--config-dir", "."], ["data/mine.yaml"], ["elsewhere.yaml"], ["clothing.yaml"]],
)
def test_a_choice_or_a_file_is_checked_wherever_it_is_and_whatever_its_name(
    words: list[str], steelyard: Any, here: Path
) -> None:
    steelyard("describe", "mine.csv", "--heads", "age")
    if words[0] not in {"mine", "data/mine.yaml"}:
        (here / "data" / "mine.yaml").rename(words[0])
    code, out, err = steelyard("check", *words, "data.split.by=''", "data.split.seed=3")
    assert (code, err) == (0, "")
    assert "train 142, valid 29, test 29" in out


def broken(**columns: Any) -> None:
    """Puts other columns into the table that has been described."""
    reviews(**columns).to_csv("mine.csv", index=False)


MIXED = ["many", *map(str, NUMBER[1:])]
SOLO = ["solo", *["a", "b"] * (N // 2)][:N]
DUO = ["duo", *SOLO[1:-1], "duo"]
AGES = [*map(str, NUMBER[1:]), "37years"]
AT_RANDOM = ["data.split.stratify=''", "data.split.by=''"]
ALONE = "class of 'label', to train and to test, got 'solo' in row 2 of the file alone"
FAULTS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "ages like 37years": (
        {"age": AGES},
        [],
        "`age` must be a column of numbers, got '37years' in row 201 of the file (1 such rows).",
    ),
    "mixed types": (
        {"price": MIXED},
        [],
        "`price` must be a column of numbers, got 'many' in row 2 of the file (1 such rows).",
    ),
    "fewer groups than splits need": (
        {"user_id": NUMBER % 3},
        [],
        "`user_id` must have at least 7 different values to be split by, got 3.",
    ),
    "a class of one that does not train": (
        {"label": SOLO},
        [*AT_RANDOM, "data.split.seed=6"],
        ALONE,
    ),
    "a class of one that trains": (
        {"label": SOLO},
        [*AT_RANDOM, "data.split.seed=0"],
        ALONE,
    ),
    "no such column": ({}, ["data.inputs_from.price.column=[prize]"], "got 'prize'."),
    "no such file": ({}, ["data.file.path=nowhere.csv"], "must be a file that exists"),
    "a wrong separator": ({}, ["data.separator=';'"], "its header looks like ',' (a comma)."),
    "too short a text": ({}, ["data.inputs_from.review.length=4"], "must be padded to at least"),
    "a seed that is none": ({}, ["data.split.seed=many"], "must be a whole number, got 'many'."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_told_in_one_line(name: str, steelyard: Any, here: Path) -> None:
    columns, overrides, message = FAULTS[name]
    steelyard("describe", "mine.csv", "--heads", "age,label")
    broken(**columns)
    before = sorted(here.rglob("*"))
    code, out, err = steelyard("check", "data/mine.yaml", *overrides)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err
    assert out == "1 error, 0 doubts\n"
    assert sorted(here.rglob("*")) == before


def test_a_class_of_two_and_a_group_with_most_rows_are_doubtful(steelyard: Any) -> None:
    steelyard("describe", "mine.csv", "--heads", "age,label")
    broken(label=DUO)
    code, out, _ = steelyard("check", "data/mine.yaml", *AT_RANDOM, "data.split.seed=0")
    assert code == 0
    assert "doubt: `label` has classes of fewer than 5 rows in train: 'duo' (2)." in out
    broken(user_id=np.where(NUMBER < 180, 0, NUMBER))
    code, out, _ = steelyard("check", "data/mine.yaml", "data.split.stratify=''")
    assert code == 0
    assert out.count("doubt: `split` gives") == 3


def test_all_columns_that_are_wrong_are_told_a_line_each(steelyard: Any) -> None:
    steelyard("describe", "mine.csv", "--heads", "age,label")
    broken(price=MIXED, age=[*map(str, NUMBER[1:]), "37years"])
    code, out, err = steelyard("check", "data/mine.yaml")
    assert (code, err.count("\n")) == (2, 2)
    assert out == "2 errors, 0 doubts\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "`bad.yaml` must be YAML, got an error"),
        ("", "must have a source of data as its `_target_`"),
        ("- a", "must have a source of data as its `_target_`"),
        ("_target_: steelyard.data.text.Text", "got 'steelyard.data.text.Text'"),
        (
            "_target_: os.system",
            "`_target_` must be a class of steelyard or keras, got 'os.system'.",
        ),
    ],
)
def test_a_file_that_configures_nothing_is_told(
    content: str, message: str, steelyard: Any, here: Path
) -> None:
    (here / "bad.yaml").write_text(content)
    code, _, err = steelyard("check", "bad.yaml")
    assert (code, err.count("\n")) == (2, 1)
    assert message in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope.yaml"], "`choice` must be a text file that can be read, got 'nope.yaml'."),
        (["mine.csv"], "make one: steelyard data describe mine.csv."),
        (["poststhetic"], "(did you mean 'posts_synthetic'?)"),
        (["posts_synthetic", "data.noise.agee=1"], "`data.noise.agee` must be a key"),
    ],
)
def test_a_choice_that_is_none_is_told(words: list[str], message: str, steelyard: Any) -> None:
    code, _, err = steelyard("check", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err


def test_images_beside_the_table_are_found_and_one_that_is_broken_is_told(
    steelyard: Any, here: Path
) -> None:
    (here / "scans").mkdir()
    for n in range(9):
        stream = io.BytesIO()
        PIL.Image.fromarray(np.full((8, 8, 3), n * 20, dtype="uint8")).save(stream, "PNG")
        (here / "scans" / f"{n}.png").write_bytes(stream.getvalue())
    frame = reviews(picture=[f"{n % 9}.png" for n in NUMBER])[["picture", "age"]]
    frame.to_csv("mine.csv", index=False)
    assert steelyard("describe", "mine.csv", "--heads", "age")[0] == 0
    node = OmegaConf.load(here / "data" / "mine.yaml").inputs_from.picture
    assert (node._target_, node.images) == ("steelyard.data.image.Image", "scans")
    assert steelyard("check", "data/mine.yaml")[0] == 0
    (here / "scans" / "4.png").write_bytes(b"no picture")
    code, _, err = steelyard("check", "data/mine.yaml")
    assert (code, err.count("\n")) == (2, 1)
    assert "got '4.png'" in err


def test_neither_command_imports_tensorflow(here: Path) -> None:
    script = (
        "import sys; from steelyard.cli.data import main; "
        "main(['describe', 'mine.csv']); main(['check', 'data/mine.yaml']); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=here, check=False).returncode == 0
