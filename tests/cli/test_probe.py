"""`steelyard probe` as a user gives it: what it prints, what it leaves, and what it refuses."""

import json
import re
import shlex
from pathlib import Path

import pytest

from steelyard.cli.compose import composed, composing
from tests.cli.commands import called

TINY = (
    "data=dials",
    "data.n_train=256",
    "model=shared_trunk",
    "training.batch_size=16",
    "--steps",
    "12",
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a command runs in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_probe_prints_weights_to_paste_and_leaves_only_its_numbers(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("probe", *TINY, "data.scale=[1,100]", "--output", "numbers/probe.json")
    code, out, err = called(capsys, monkeypatch, *words)
    assert code == 0
    assert "Units: task_1 drowns task_0." in out
    assert err.splitlines()[-1] == "together, 2 of 2: 12 steps"
    left = [path for path in here.rglob("*") if path.is_file()]
    assert left == [here / "numbers" / "probe.json"]
    heads = json.loads(left[0].read_text())["heads"]
    pasted = re.search(r'loss_weights=\{"task_0": (\S+), "task_1": (\S+)\}', out)
    assert pasted is not None
    weights = [float(each) for each in pasted.groups()]
    assert weights == [pytest.approx(heads[head]["weight"], rel=1e-5) for head in heads]
    assert weights[1] < 0.1 * weights[0]

    again = called(capsys, monkeypatch, *words)
    assert again == (code, out, err)


def test_the_sweep_that_a_probe_prints_can_be_carried_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = called(capsys, monkeypatch, "probe", *TINY, "weighting=nash_mtl")
    assert code == 0
    assert "The weighting, NashMTL, was left out" in out
    command = next(line for line in out.splitlines() if "steelyard train -m" in line)
    words = shlex.split(command)
    assert "weighting=nash_mtl" not in words
    points = re.findall(r"\{[^}]*\}", words[-1])
    assert len(points) == 3
    with composing():
        for point in points:
            config = composed([*words[3:-1], f"loss_weights={point}"])
            assert {"task_0", "task_1"} < set(config.loss_weights)


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (("loss_weights.task_1=0",), "one head is trained"),
        (
            ("data.scale=[3.0]", "data.noise=[0.0]", "data.labelled=[1.0]"),
            "one head is trained",
        ),
        (("model.trunk=[]",), "no two heads share a layer"),
    ],
)
def test_where_nothing_is_balanced_a_line_says_why(
    overrides: tuple[str, ...],
    why: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, _ = called(capsys, monkeypatch, "probe", *TINY, *overrides)
    assert code == 0
    assert len(out.splitlines()) == 1
    assert f"There is nothing to balance, for {why}: loss_weights=" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("training.epoch=3",), "(did you mean 'training.epochs'?)"),
        (("loss_weights.task_7=1",), "`loss_weights` must name the heads"),
        (("--steps", "0"), "`--steps` must be at least 1, got 0."),
        (("--output", "."), "`--output` must be a file, got the folder '.'."),
        (("-m", "seed=0,1"), "`probe` must be given overrides, --steps, --output"),
        (("--config-dir", "nowhere"), "`--config-dir` must be a folder that exists"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    words: tuple[str, ...],
    told: str,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, err = called(
        capsys, monkeypatch, "probe", "data=dials", "model=shared_trunk", *words
    )
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert told in err
    assert not list(here.iterdir())
