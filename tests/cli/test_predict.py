"""A finished run asked again: new rows, its own test, and its network in Keras alone."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.commands import called, finished

TARGET = "steelyard.data.target.Target"
CONFIG = """
_target_: steelyard.data.table.Table
file: {{_target_: steelyard.data.files.File, path: {path}, url: "", sha256: ""}}
more_files: []
separator: ","
derive: {{old: age > 40}}
inputs_from:
  text: {{_target_: steelyard.data.text.Text, column: text, length: 40, vocabulary: 50}}
  weight: {{_target_: steelyard.data.numeric.Numeric, column: weight}}
tasks_from:
  age: {{_target_: {target}, column: age, kind: regression, unit: years}}
  pet: {{_target_: {target}, column: pet, kind: multiclass}}
  old: {{_target_: {target}, column: old, kind: binary}}
required: []
drop_duplicates: false
keep_where: ""
split: {{_target_: steelyard.data.split.Partition, valid: 0.2, test: 0.2}}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a network was trained on a table of one's own, from configuration alone."""
    folder = tmp_path_factory.mktemp("mine")
    number = np.arange(60)
    pd.DataFrame(
        {
            "text": [f"one word{n % 7} more" for n in number],
            "weight": 50.0 + number,
            "age": 18.0 + number,
            "pet": [("cat", "dog", "fish")[n % 3] for n in number],
        }
    ).to_csv(folder / "people.csv", index=False)
    (folder / "data").mkdir()
    (folder / "data" / "people.yaml").write_text(
        CONFIG.format(path=folder / "people.csv", target=TARGET)
    )
    words = ("--config-dir", ".", "data=people", "model=auto", "training.epochs=2", "seed=3")
    code, out, err = finished(folder, "train", *words)
    assert code == 0, err
    assert "1 trained" in out
    return folder


def key(folder: Path) -> str:
    return next((folder / "outputs/runs").glob("*/record.json")).parent.name


def test_new_rows_are_answered_in_the_words_of_the_targets(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    new = pd.DataFrame({"weight": [60.0, None, 80.0], "text": ["one word3 more", None, "new"]})
    new.to_csv("new.csv", index=False)
    code, out, err = called(capsys, monkeypatch, "predict", key(trained)[:8], "new.csv")
    assert (code, err) == (0, "")
    assert "3 predictions" in out
    found = pd.read_csv("predictions.csv")
    assert list(found) == ["age", "pet", "pet_chance", "old", "old_chance"]
    assert found["age"].between(0, 150).all()  # in years, not in deviations
    assert set(found["pet"]) <= {"cat", "dog", "fish"}
    assert found["pet_chance"].between(1 / 3, 1).all()
    assert ((found["old_chance"] > 0.5) == (found["old"] == 1)).all()


def test_arrays_by_name_are_answered_too(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    np.savez("new.npz", text=np.ones((2, 30), "int32"), weight=np.zeros((2, 1), "float32"))
    code, out, _ = called(capsys, monkeypatch, "predict", "equal-3", "new.npz", "--to", "two.csv")
    assert code == 0
    assert "2 predictions" in out
    assert len(pd.read_csv("two.csv")) == 2


def test_the_test_is_repeated_exactly(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    code, out, _ = called(capsys, monkeypatch, "evaluate", f"outputs/runs/{key(trained)}")
    assert code == 0
    assert "13 numbers, 13 exactly those of the record" in out


def test_a_changed_record_is_noticed(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    path = Path("outputs/runs") / key(trained) / "record.json"
    kept = path.read_text()
    record = json.loads(kept)
    record["test"]["age/mae"] *= 1 + 1e-12
    path.write_text(json.dumps(record))
    code, out, _ = called(capsys, monkeypatch, "evaluate", "scratch/equal-3")
    path.write_text(kept)
    assert code == 1
    assert "13 numbers, 12 exactly" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("predict", "nothing", "new.csv"), "must be the key, the name or the folder of one run"),
        (("evaluate", "nothing"), "got none in outputs/runs"),
        (("predict", "equal-3", "other.csv"), "/other.csv' (age, old), got 'text'"),
        (("predict", "equal-3", "no.csv"), "`no.csv` must be a file that exists"),
        (("predict", "equal-3", "other.npz"), "`text` must be an input of shape (None,), got none"),
        (("predict", "equal-3", "bad.npz"), "bad.npz` must be a .npz file of arrays"),
        (("predict", "equal-3", "none.csv"), "`inputs` must hold the same examples, at least one"),
        (("predict", "equal-3", "far.npz"), "`text` must hold numbers from 0 to 10, got 1 to 99"),
        (
            ("predict", "equal-3", "uneven.npz"),
            "at least one, got {'weight': 2, 'text': 3}",
        ),
        (("predict", "equal-3", "new.csv", "--to", "data"), "`--to` must be a file, got the fold"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_line(
    words: tuple[str, ...],
    message: str,
    trained: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(trained)
    Path("other.csv").write_text("age\n3\n")
    Path("bad.npz").write_text("no arrays")
    Path("none.csv").write_text("text,weight\n")
    Path("new.csv").write_text("text,weight\none,3\n")
    weight = np.zeros((2, 1))
    np.savez("other.npz", weight=weight)
    np.savez("far.npz", weight=weight, text=np.array([[1, 99]] * 2))
    np.savez("uneven.npz", weight=weight, text=np.ones((3, 30)))
    before = sorted(Path().iterdir())
    code, _, err = called(capsys, monkeypatch, *words)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err
    assert sorted(Path().iterdir()) == before


def test_the_saved_network_loads_in_keras_alone_and_takes_and_gives_dicts(trained: Path) -> None:
    code = (
        "import sys; sys.modules['steelyard'] = None\n"
        "import keras, numpy as np\n"
        "network = keras.models.load_model(sys.argv[1])\n"
        "given = {'text': np.ones((2, 33), 'int32'), 'weight': np.zeros((2, 1))}\n"
        "print({name: value.shape for name, value in network.predict(given, verbose=0).items()})\n"
    )
    path = trained / "outputs/runs" / key(trained) / "model.keras"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "{'age': (2, 1), 'pet': (2, 3), 'old': (2, 1)}"


def test_a_network_is_shown_and_counted_before_it_is_trained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("data=dials", "model=shared_trunk")
    for command in (("network", *words), ("train", *words, "--cfg", "model")):
        code, out, _ = called(capsys, monkeypatch, *command)
        assert code == 0
        assert "3,234 parameters" in out  # 16 x 64 + 64, 64 x 32 + 32, and two heads of 32 + 1
        assert "head task_1: regression" in out
        assert not list(tmp_path.iterdir())


def test_a_network_of_a_folder_that_is_not_there_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (("--config-dir=nowhere",), ("--config-dir", "nowhere")):
        code, _, err = called(capsys, monkeypatch, "network", *words, "data=mine")
        assert (code, err) == (2, "`--config-dir` must be a folder that exists, got 'nowhere'.\n")
