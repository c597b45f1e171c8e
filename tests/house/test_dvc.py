"""What `dvc repro` remakes, and what it leaves alone, in a fresh clone of this checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ("prepare", "plan", "sweep", "report")


def told(folder: Path, *words: str) -> str:
    """Returns what a command prints, in a folder, with the clone's own source first."""
    environment = {
        **os.environ,
        "DVC_NO_ANALYTICS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
    }
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone of the last commit."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git, and a checkout to clone")
    folder = tmp_path / "clone"
    told(tmp_path, "git", "clone", "-q", str(ROOT), str(folder))
    return folder


def remade(report: str) -> list[str]:
    """Returns the stages that ran."""
    return [stage for stage in STAGES if f"Running stage '{stage}'" in report]


def edited(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1))


@pytest.mark.slow
def test_a_fresh_clone_repeats_nothing(clone: Path) -> None:
    assert remade(told(clone, "dvc", "repro")) == []
    assert told(clone, "git", "status", "--porcelain") == ""
    assert "up to date" in told(clone, "dvc", "repro")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("conf/training/default.yaml", "epochs: 10", "# A comment.\nepochs: 10"),
        ("src/steelyard/training/step.py", '"""The training step:', '"""The step of training:'),
        ("src/steelyard/weighting/dwa.py", "N_EVEN_EPOCHS = 2  #", "N_EVEN_EPOCHS = 2  # Note:"),
    ],
    ids=["comment in a configuration", "docstring", "comment in code"],
)
def test_a_comment_or_a_docstring_trains_nothing(
    clone: Path, path: str, old: str, new: str
) -> None:
    edited(clone, path, old, new)
    assert remade(told(clone, "dvc", "repro")) == ["plan"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("conf/experiment/posts.yaml", "epochs: 12", "epochs: 11"),
        ("src/steelyard/weighting/dwa.py", "N_EVEN_EPOCHS = 2", "N_EVEN_EPOCHS = 3"),
    ],
    ids=["value in a configuration", "code"],
)
def test_a_changed_value_plans_other_runs(clone: Path, path: str, old: str, new: str) -> None:
    before = (clone / "experiments/posts/plan.json").read_text()
    edited(clone, path, old, new)
    told(clone, "dvc", "repro", "plan")
    after = (clone / "experiments/posts/plan.json").read_text()
    assert after != before
    status = told(clone, "dvc", "status")
    assert "sweep" in status


@pytest.mark.slow
def test_the_study_on_real_data_needs_no_data_to_be_up_to_date(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEELYARD_DATA", raising=False)
    assert remade(told(clone, "dvc", "repro", "experiments/clothing/dvc.yaml")) == []
