"""`steelyard explain`: what it prints, where it finds a run, and what it does without."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from steelyard.tracking.record import RunFolder
from tests.analysis.told_runs import Made, Told, told
from tests.cli.commands import called

KEY = "0123456789abcdef"
LOST = Made(valid=1.0, train=1.0)


def kept(output: Path, run: Told) -> RunFolder:
    """Writes a run down as training does."""
    record, history, tasks = run
    folder = RunFolder(output, KEY)
    folder.begin("study: scratch\n")
    folder.keep_fitted({"inputs": {}, "tasks": tasks})
    folder.end(record, history)
    return folder


@pytest.fixture
def explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Explains a run that is written down; returns the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)

    def explain(run: Told, *words: str) -> tuple[int, str, str]:
        kept(tmp_path / "outputs", run)
        return called(capsys, monkeypatch, "explain", KEY[:6], *words)

    return explain


def test_a_verdict_comes_first_and_a_command_to_paste_last(explained: Any) -> None:
    code, out, err = explained(told({"age": Made(norm=99.0), "class": LOST}))
    assert (code, err) == (0, "")
    assert out.startswith("age held 99.0 % of the gradient of the shared layers over all 6 epochs:")
    assert '    loss_weights={"age": 0.01, "class": 1}\n' in out
    assert "loss_weights.age=0.01 loss_weights.class=1\n" in out
    assert "record.json, history.csv" in out


def test_the_commands_of_a_study_are_whole(explained: Any) -> None:
    config = {"loss_weights": {"rule": "equal", "age": 5.0}, "optimizer": {"learning_rate": 0.1}}
    heads = {"age": Made(train=[2.0, math.nan], valid=math.nan, weight=5.0), "class": LOST}
    run = told(
        heads, n_epochs=2, status="diverged", best={}, test={}, best_epoch=-1, study="posts",
        seed=2, config=config,
    )  # fmt: skip
    _, out, _ = explained(run)
    assert (
        "    steelyard train experiment=posts seed=2 'loss_weights={age:5.0,rule:equal}' "
        "optimizer.learning_rate=0.01\n" in out
    )


def test_a_change_of_method_drops_the_weights_that_were_made_for_another(explained: Any) -> None:
    config = {"loss_weights": {"rule": "equal", "age": 5.0}}
    heads = {"age": Made(norm=99.0, weight=5.0), "class": LOST}
    _, out, _ = explained(told(heads, study="posts", config=config))
    assert "    steelyard train experiment=posts seed=0 weighting=nash_mtl\n" in out
    assert (
        "    steelyard train -m experiment=posts 'hydra.sweeper.arms=[]' seed=0,1,2 "
        "loss_weights.age=0.0033,0.01,0.03 loss_weights.class=1\n" in out
    )
    assert "steelyard probe experiment=posts seed=0\n" in out


def test_json_holds_every_number_and_null_for_what_is_not_known(explained: Any) -> None:
    heads = {"age": Made(train=[2.0, math.nan], valid=[0.5, math.nan]), "class": LOST}
    run = told(heads, n_epochs=2, status="diverged", best={}, test={}, best_epoch=0)
    code, out, _ = explained(run, "--json")
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == 0
    assert found["status"] == "diverged"
    assert found["heads"][0]["train"] == [2.0, None]
    assert found["heads"][0]["kept"] is None
    assert found["causes"][0]["numbers"] == {"epoch": 2, "rise": 2.0}
    assert found["verdict"].startswith("The run diverged in epoch 2: the loss of age")


def test_forty_heads_of_long_names_keep_to_the_width(
    explained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    heads = {f"a_head_of_quite_a_long_name_{n:02}": LOST for n in range(39)}
    code, out, _ = explained(told({**heads, "나이_é": Made(norm=390.0, valid=0.123456)}))
    lines = [line for line in out.splitlines() if not line.startswith(("    ", "From", "Next"))]
    assert code == 0
    assert max(map(len, lines)) <= 80
    assert "나이_é" in out
    assert "…" not in out  # no number is cut short
    assert out.count("barely") == 0


def test_a_run_that_failed_is_told_with_its_reason_and_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(tmp_path / "outputs", KEY)
    folder.begin("study: scratch\n")
    folder.fail({"status": "failed", "error": "ValueError: [no] such", "name": "x-0"}, "Traceback")
    code, out, _ = called(capsys, monkeypatch, "explain", "x-0")
    assert code == 0
    assert out.startswith("The run failed, before an epoch was kept: ValueError: [no] such\n")
    assert "record.json, traceback.txt" in out


def test_no_such_run_and_one_that_has_not_ended_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = called(capsys, monkeypatch, "explain", "nothing")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "`run` must be the key, the name or the folder of one run" in err
    RunFolder(tmp_path / "elsewhere", KEY).begin("study: scratch\n")
    code, out, err = called(capsys, monkeypatch, "explain", KEY, "--output", "elsewhere")
    assert (code, out) == (2, "")
    assert err == f"`run` must be one that ended, got {KEY}, not ended.\n"


def test_neither_keras_nor_tensorflow_is_imported(tmp_path: Path) -> None:
    kept(tmp_path / "outputs", told({"age": Made(norm=99.0), "class": LOST}, cosine=-0.5))
    code = (
        "import sys; from steelyard.cli.explain import main; main(['0123']); "
        "sys.exit(bool({'keras', 'tensorflow', 'mlflow', 'pandas'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0


def test_the_command_is_listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = called(capsys, monkeypatch, "--help")
    assert (code, "steelyard explain" in out) == (0, True)
