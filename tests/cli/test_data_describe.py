"""`steelyard data describe`: a table is described so that it can be trained on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from hydra_plugins.steelyard.arms import jobs_of
from steelyard.cli.compose import composed, composing
from steelyard.cli.validate import validate_sweep, without_hydra
from steelyard.construct import construct
from steelyard.data.source import SPLITS
from tests.cli.commands import finished
from tests.cli.reviews import NUMBER, N, reviews


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
