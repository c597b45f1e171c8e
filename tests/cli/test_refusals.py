"""A mistake on the command line is told in one line, with exit code 2, and leaves no trace."""

from pathlib import Path

import pytest

from steelyard.cli.errors import one_line
from tests.cli.commands import called
from tests.launch.beside import NOISE

MISTAKES = {
    "a misspelt choice": (
        ["weighting=nash"],
        "got 'nash' (did you mean 'nash_mtl'?).",
    ),
    "a misspelt study": (["experiment=post"], "(did you mean 'posts'?)"),
    "a misspelt key": (
        ["training.epoch=3"],
        "`training.epoch` must be a key of the configuration, got one that is not "
        "(did you mean 'training.epochs'?).",
    ),
    "a misspelt group": (["wieghting=dwa"], "(did you mean 'weighting'?)"),
    "text for a whole number": (
        ["training.epochs=many"],
        "`training.epochs` must be a whole number, got 'many'.",
    ),
    "text for a number": (
        ["optimizer.learning_rate=fast"],
        "`optimizer.learning_rate` must be a number, got 'fast'.",
    ),
    "a fraction of an epoch": (["training.epochs=1.5"], "must be a whole number, got 1.5."),
    "no epoch": (["training.epochs=0"], "`epochs` must be at least 1, got 0."),
    "a negative rate": (["optimizer.learning_rate=-1"], "must be positive, got -1."),
    "averages that nothing would use": (
        ["+optimizer.use_ema=true"],
        "`optimizer.ema_overwrite_frequency` must be given where `optimizer.use_ema` is true, "
        "got nothing.",
    ),
    "a scaled loss and an embedding": (
        ["+optimizer.loss_scale_factor=2.0"],
        "`optimizer.loss_scale_factor` must be left out where inputs are embedded (text), got 2.0.",
    ),
    "a misspelt head": (
        ["loss_weights.agee=0.3"],
        "`loss_weights` must name the heads age, income, gender, got 'agee' (did you mean 'age'?).",
    ),
    "a misspelt head in a mapping": (
        ["loss_weights={age:1,incom:2}"],
        "got 'incom' (did you mean 'income'?).",
    ),
    "a negative weight": (
        ["loss_weights.age=-1"],
        "`loss_weights.age` must be a finite number of at least 0, got -1.",
    ),
    "an infinite weight": (["loss_weights.age=1e400"], "at least 0, got inf."),
    "a weight that is no number": (["loss_weights.age=nan"], "at least 0, got nan."),
    "a missing weight": (["loss_weights.age=null"], "at least 0, got None."),
    "all weights zero": (
        ["loss_weights={age:0,income:0,gender:0}"],
        "`loss_weights` must not all be 0, got 0 for every head.",
    ),
    "a misspelt rule": (["loss_weights.rule=inverse"], "`loss_weights.rule` must be one of"),
    "a primary head that is not there": (
        ["weighting=pcd", "weighting.primary=3"],
        "`primary` must be below 3, the number of tasks, got 3.",
    ),
    "a held method that is none": (
        ["weighting=smoothed", "weighting.method=abc"],
        "`weighting.method` must be a mapping, got 'abc'.",
    ),
    "text for a held method's number": (
        ["weighting=smoothed", "weighting@weighting.method=cagrad", "weighting.method.c=high"],
        "`weighting.method.c` must be a number, got 'high'.",
    ),
    "a method that cannot be held": (
        ["weighting=graddrop", "balance=every_second_step"],
        "`update_every` must be 1 for GradDrop, which works on coordinates, got 2.",
    ),
    "too short a text": (
        ["data.length=268"],
        "`text` must be padded to at least 269 words",
    ),
    "an override that cannot be parsed": (
        ["loss_weights={age:1"],
        "`loss_weights={age:1` must be an override such as key=value",
    ),
    "a mistake in a later run of a sweep": (
        ["-m", "loss_weights.age=1,2,-1"],
        "`loss_weights.age` must be a finite number of at least 0, got -1.",
    ),
    "a flag after the overrides": (["loss_weights.agee=1,2", "-m"], "got 'agee'"),
    "a swept runtime": (
        ["-m", "runtime.deterministic=true,false"],
        "`runtime` must be the same in all runs of a process, got 2 different.",
    ),
    "a sweep over no number": (
        ["-m", "seed=range(5,5)", "training.epochs=1,2"],
        "`-m` must be given values to sweep over, got none in seed=range(5,5) training.epochs=1,2.",
    ),
    "a sweep over no choice": (["-m", "weighting=glob(nash)"], "got none in weighting=glob(nash)."),
    "a halved sweep over nothing": (
        ["-m", "seed=range(5,5)", "hydra.sweeper.halving={epochs: [1,2]}"],
        "got none in seed=range(5,5).",
    ),
    "a search over no seed": (["-m", "hydra/sweeper=pareto", "seed=range(5,5)"], "got none in"),
    "a class from elsewhere": (
        ["model._target_=os.system"],
        "`_target_` must be a class of steelyard or keras, got 'os.system'.",
    ),
    "a table without a file": (["data=table"], "`data.file.path` must be given, got nothing."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words, message = MISTAKES[name]
    code, out, err = called(capsys, monkeypatch, "train", *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not out
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("mine")
    code, _, err = called(capsys, monkeypatch, "train", *NOISE, "output=README.md")
    assert (code, err.count("\n")) == (2, 1), err
    assert "README.md/runs` must be a path that can be read and written, got: Not a dir" in err
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            PermissionError(13, "Permission denied", "mine.csv"),
            "`mine.csv` must be a path that can be read and written, got: Permission denied.",
        ),
        (OSError(28, "No space left on device"), "The disk must have room, got none left."),
        (ConnectionResetError(104, "Connection reset by peer"), None),
    ],
)
def test_what_the_system_refuses_is_told_in_one_line(error: OSError, line: str | None) -> None:
    assert one_line(error) == line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "(did you mean 'train'?)"),
        (["plan", "nope"], "`study` must be one of"),
        (["gather", "posts"], "must be made first: steelyard plan posts"),
        (["report", "posts"], "must be made first: steelyard prepare posts"),
        (["check", "posts"], "must be made first: steelyard gather posts"),
        (["plan"], "required: study (its options: steelyard plan --help)"),
        (["check", "posts", "--runs", "x"], "--runs: invalid int value: 'x'"),
        (["explain", "a", "b"], "unrecognized arguments: b"),
        (["data", "nope"], "invalid choice: 'nope'"),
        (["ui"], "`output` must be a folder with runs in it"),
    ],
)
def test_other_commands_say_what_comes_first(
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = called(capsys, monkeypatch, *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [1,\n b: }", "mine.yaml` must be YAML that can be read, got a mistake in line 2"),
        ("- 1\n- 2\n", "mine.yaml` must hold keys and values, got a list"),
        ("_target_: steelyard.weighting.fixed.Fixed\n", "`data._target_` must be a source of ex"),
    ],
    ids=["broken", "a list", "no source"],
)
def test_a_file_of_one_s_own_that_is_no_data_is_refused(
    content: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(content)
    code, _, err = called(capsys, monkeypatch, "train", "--config-dir", ".", "data=mine")
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


COLUMN = "{_target_: steelyard.data.text.Text, column: words, length: 60}"
TARGET = "{_target_: steelyard.data.target.Target, column: label, kind: binary}"


def table(tmp_path: Path, content: str | bytes) -> list[str]:
    """Writes a table and returns the overrides that train on it."""
    path = tmp_path / "mine.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [
        "data=table",
        "model.encoders.text.stages=[[4],[4]]",
        "data.file.path=mine.csv",
        f"+data.inputs_from.text={COLUMN}",
        f"+data.tasks_from.y={TARGET}",
    ]


NUMBER = "data.tasks_from.y.kind=regression"
ROWS = "words,label\n" + "".join(f"word {n},{'no' if n % 2 else 'yes'}\n" for n in range(40))


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        ("word,label\na,b\n", [], "`text.column` must be a column of 'mine.csv'"),
        (
            b"words,label\n\xff\xfe\x00,1\n",
            [],
            "`mine.csv` must be UTF-8 text, got the byte 0xff in line 2",
        ),
        ("", [], "`mine.csv` must hold a table, got an empty file"),
        (ROWS, ["data.file.sha256=ab12"], "must be the published file with sha256 ab12, got"),
        (ROWS + "last,maybe\n", [], "got 'maybe' in row 42 of the file alone (1 such class)"),
        (ROWS, [f"+data.tasks_from.not_equal={TARGET}"], "masks of texts, got 'not_equal'"),
        (ROWS, [f"+data.inputs_from.numeric={COLUMN}"], "must not name a text input for another"),
        (ROWS.replace("yes", "1").replace("no", "1"), [NUMBER], "`y` must have different targets"),
        (ROWS, ["data.file.path=other.csv"], "`other.csv` must be a file that exists"),
        (
            ROWS,
            ["data.file.path=other.csv", "data.file.url=http://127.0.0.1:9/other.csv"],
            "got no answer from http://127.0.0.1:9/other.csv",
        ),
    ],
    ids=[
        "no column",
        "no text",
        "empty",
        "hash",
        "a class of one row",
        "a mask's name",
        "another kind's name",
        "nothing to learn",
        "no file",
        "no network",
    ],
)
def test_data_that_cannot_be_used_are_refused_before_anything_is_written(
    content: str | bytes,
    more: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEELYARD_DATA", raising=False)
    code, _, err = called(capsys, monkeypatch, "train", *table(tmp_path, content), *more)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
