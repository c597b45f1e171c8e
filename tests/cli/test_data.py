"""`steelyard data`: a table is described so that it can be trained on, and its faults are told."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from hydra_plugins.steelyard.arms import jobs_of
from steelyard.cli.compose import composed, composing
from steelyard.cli.validate import validate_sweep, without_hydra
from steelyard.construct import construct
from steelyard.data.source import SPLITS
from tests.cli.commands import called, finished

N = 200
NUMBER = np.arange(N)


def reviews(**columns: Any) -> pd.DataFrame:
    """Returns a table of two hundred reviews, by fifty people."""
    draw = np.random.default_rng(0)
    whole = {
        "review": [" ".join(draw.choice(["good", "bad", "fine", "odd"], 8)) for _ in NUMBER],
        "user_id": NUMBER // 4,
        "price": draw.normal(50, 10, N).round(2),
        "age": draw.integers(18, 90, N),
        "label": draw.choice(["a", "b", "c"], N),
    }
    return pd.DataFrame({**whole, **columns})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a command runs in, with a table in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEELYARD_DATA", raising=False)
    reviews().to_csv("mine.csv", index=False)
    return tmp_path


@pytest.fixture
def steelyard(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives a command of `steelyard data`; returns its exit code and what it printed."""
    return lambda *words: called(capsys, monkeypatch, "data", *words)


def test_what_describe_writes_is_what_training_reads(here: Path, steelyard: Any) -> None:
    code, out, err = steelyard("describe", "mine.csv", "--heads", "age,label")
    assert (code, err) == (0, "")
    for told in (
        "200 rows, 5 columns",
        "50 different values in 200 rows: a group's id",
        "words: 8 on average",
        "steelyard train --config-dir . data=mine model=auto",
        "steelyard train -m --config-dir . data=mine model=auto 'loss_weights=glob(*)' seed=0,1,2",
    ):
        assert told in out
    first = [f"hydra.searchpath=[file://{here}]", "data=mine", "model=auto"]
    with composing():
        whole = composed(first)
        loader = GlobalHydra.instance().config_loader()
        sweep = jobs_of(loader, {}, [], ["loss_weights=glob(*)", "seed=0,1,2"])
        configs = [composed([*first, *job]) for job in sweep]
    assert len(configs) == 9  # three rules, three seeds
    validate_sweep(configs)
    source = construct(without_hydra(whole).data)
    assert source.task_names == ("age", "label")
    assert set(source.input_kinds) == {"review", "price"}
    assert sum(len(source.load(split).targets["age"]) for split in SPLITS) == N
    assert sorted(path.name for path in here.rglob("*")) == ["data", "mine.csv", "mine.yaml"]


def test_the_two_commands_that_describe_names_are_composed_by_train(
    steelyard: Any, here: Path
) -> None:
    assert steelyard("describe", "mine.csv")[0] == 0
    code, out, _ = finished(
        here, "train", "--cfg", "job", "--config-dir", ".", "data=mine", "model=auto"
    )
    assert code == 0
    assert OmegaConf.create(out).data == OmegaConf.load(here / "data" / "mine.yaml")


def test_guessed_heads_are_said_to_be_guessed_with_the_scale_of_their_losses(
    steelyard: Any,
) -> None:
    frame = reviews(rating=[1.0, 3.0] * (N // 2), won=["yes", "no"] * (N // 2))
    frame.loc[0, "rating"] = 2.0
    frame.to_csv("mine.csv", index=False)
    _, out, _ = steelyard("describe", "mine.csv")
    assert "These heads are a guess; --heads a,b,c takes others." in out
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith(" ")}
    assert lines["label"][1:3] == ["multiclass", "1.099"]  # the logarithm of three
    zero, constant, share, standardized = lines["rating"][2:]
    assert float(zero) == pytest.approx(5, rel=0.1)  # the mean of 1 and 9
    assert float(constant) == pytest.approx(1, rel=0.1)
    assert float(share.rstrip("%")) == pytest.approx(100 * 5 / 6.1, rel=0.1)
    assert standardized == "1"


def test_describe_overwrites_nothing_unless_told_to(steelyard: Any, here: Path) -> None:
    path = here / "data" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("precious")
    code, out, err = steelyard("describe", "mine.csv")
    assert (code, out) == (2, "")
    assert err == "`output` must be a new file, got 'data/mine.yaml'; --force overwrites it.\n"
    assert path.read_text() == "precious"
    assert steelyard("describe", "mine.csv", "--force")[0] == 0
    assert "steelyard.data.table.Table" in path.read_text()


def test_a_table_called_as_a_choice_of_ours_gets_another_name(steelyard: Any, here: Path) -> None:
    (here / "mine.csv").rename("clothing.csv")
    _, out, _ = steelyard("describe", "clothing.csv")
    assert "data=my_clothing" in out
    code, _, err = steelyard("describe", "clothing.csv", "--output", "data/clothing.yaml")
    assert code == 2
    assert "must have another name than the choices" in err


@pytest.mark.parametrize("output", ["there/mine.yaml", "data/mine.yml", "data/my table.yaml"])
def test_refuses_an_output_that_no_choice_can_be(output: str, steelyard: Any, here: Path) -> None:
    code, _, err = steelyard("describe", "mine.csv", "--output", output)
    assert (code, err.count("\n")) == (2, 1)
    assert f"in a folder 'data', got '{output}'" in err
    assert [path.name for path in here.iterdir()] == ["mine.csv"]


def test_names_in_any_letters_become_names_of_heads_and_inputs(steelyard: Any, here: Path) -> None:
    frame = reviews().set_axis(["리뷰", "user_id", "Größe (cm)", "나이", "등급"], axis=1)
    frame.to_csv("mine.csv", index=False, encoding="utf-8-sig")
    assert steelyard("describe", "mine.csv", "--heads", "나이,등급")[0] == 0
    settings = OmegaConf.load(here / "data" / "mine.yaml")
    assert {name: node.column for name, node in settings.tasks_from.items()} == {
        "head_1": "나이",
        "head_2": "등급",
    }
    assert list(settings.inputs_from) == ["input_1", "groesse_cm"]
    assert steelyard("check", "data/mine.yaml")[0] == 0


@pytest.mark.parametrize("name", ["mine.tsv", "mine.parquet", "windows.csv", "semicolons.csv"])
def test_a_table_is_the_same_in_each_format(name: str, steelyard: Any, here: Path) -> None:
    frame = pd.read_csv("mine.csv")
    if name.endswith(".parquet"):
        frame.to_parquet(name)
    else:
        separator = {"mine.tsv": "\t", "semicolons.csv": ";"}.get(name, ",")
        frame.to_csv(name, index=False, sep=separator)
    if name == "windows.csv":
        content = Path(name).read_text().replace("\n", "\r\n")
        Path(name).write_bytes(b"\xef\xbb\xbf" + content.encode())
    assert steelyard("describe", "mine.csv", "--output", "plain.yaml")[0] == 0
    assert steelyard("describe", name, "--output", "other.yaml")[0] == 0
    plain, other = (OmegaConf.load(here / "data" / f"{each}.yaml") for each in ("plain", "other"))
    assert plain.inputs_from == other.inputs_from
    one, another = (construct(each).load("train") for each in (plain, other))
    np.testing.assert_array_equal(one.inputs["review"], another.inputs["review"])


CAFE = "review,label\ncaf\xe9,a\n".encode("cp1252")
IDS = "".join(f"k{n}\n" for n in NUMBER).encode()
UNREADABLE = {
    "empty": (b"", "`bad.csv` must hold a table, got an empty file"),
    "cp1252": (CAFE, "must be UTF-8 text, got the byte 0xe9 in line 2; it may be cp1252"),
    "a doubled column": (b"age,age\n1,2\n", "must have a column once, got 'age' more than once"),
    "no header": (b"1,2\n3,4\n5,6\n", "must have names in its first row, got numbers: 1"),
    "one column": (b"label\n" + b"a\nb\n" * 50, "must have a column to predict from, got none"),
    "only ids": (b"id\n" + IDS, "must have a column that can be predicted, got none"),
    "rows of other lengths": (b"a,b\n1,2\n1,2,3,4\n", "must be a readable table, got an error"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_holds_no_table_is_refused_in_one_line(
    name: str, steelyard: Any, here: Path
) -> None:
    content, message = UNREADABLE[name]
    (here / "bad.csv").write_bytes(content)
    code, out, err = steelyard("describe", "bad.csv")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert sorted(path.name for path in here.iterdir()) == ["bad.csv", "mine.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.csv"], "`nowhere.csv` must be a file that exists"),
        (["mine.csv", "--separator", ";"], "its header looks like ',' (a comma)"),
        (["mine.csv", "--heads", "agee"], "got 'agee' (did you mean 'age'?)"),
        (["mine.csv", "--heads", "review"], "must name columns of numbers or of few classes"),
        (["mine.csv", "--heads", "user_id"], "a group's id"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    words: list[str], message: str, steelyard: Any, here: Path
) -> None:
    code, out, err = steelyard("describe", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert [path.name for path in here.iterdir()] == ["mine.csv"]


def test_ages_with_a_unit_are_left_out_as_an_input_and_refused_as_a_head(steelyard: Any) -> None:
    ages = [f"{n % 70}" if n else "37years" for n in NUMBER]
    reviews(age=ages).to_csv("mine.csv", index=False)
    code, out, _ = steelyard("describe", "mine.csv", "--heads", "label")
    assert code == 0
    assert "1 cells cannot be read, such as '37years' in row 2 of the file: mend them" in out
    code, _, err = steelyard("describe", "mine.csv", "--heads", "age", "--force")
    assert (code, err.count("\n")) == (2, 1)
    assert "'37years' in row 2 of the file" in err


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
AGES = [*map(str, NUMBER[1:]), "37years"]
AT_RANDOM = ["data.split.stratify=''", "data.split.by=''"]
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
        "got 'solo' in row 2 of the file; a class needs a row in train",
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


def test_a_class_of_one_that_trains_and_a_group_with_most_rows_are_doubtful(steelyard: Any) -> None:
    steelyard("describe", "mine.csv", "--heads", "age,label")
    broken(label=SOLO)
    code, out, _ = steelyard("check", "data/mine.yaml", *AT_RANDOM, "data.split.seed=0")
    assert code == 0
    assert "doubt: `label` has classes of fewer than 5 rows in train: 'solo' (1)." in out
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
