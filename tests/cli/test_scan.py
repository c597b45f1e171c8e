"""`steelyard scan`, end to end: which methods care about units, and what is refused."""

from pathlib import Path

import pandas as pd
import pytest

from steelyard.cli.scan_points import parsed
from tests.cli.commands import called

DIALS = (
    "data=dials",
    "data.n_train=256",
    "model=shared_trunk",
    "model.trunk=[16]",
    "training.epochs=6",
    "training.batch_size=32",
    "training.diagnose_every=0",
    "optimizer.learning_rate=0.02",
    "balance.heads=weighted",
    "tracker=record",
)
MISTAKES = {
    "a method that is none": (
        ["--methods", "fixed,nash"],
        "`--methods` must hold names of aligned_mtl,",
        "got 'nash' (did you mean 'nash_mtl'?).",
    ),
    "a head that is none": (
        ["--heads", "task_0,task_3"],
        "`--heads` must hold names of task_0, task_1, got 'task_3' (did you mean 'task_",
    ),
    "no factor": (["--factors", "0,1"], "must hold finite positive numbers, got '0'."),
    "a negative factor": (["--factors=-1,1"], "must hold finite positive numbers, got '-1'."),
    "an infinite factor": (["--factors", "1e999"], "finite positive numbers, got '1e999'."),
    "a factor in words": (["--factors", "ten"], "finite positive numbers, got 'ten'."),
    "one alone": (["--factors", "1"], "`--factors` must hold a number other than 1, got 1 alone."),
    "no seed": (["--seeds", ","], "`--seeds` must list something, got nothing."),
    "a negative seed": (["--seeds=-1"], "whole numbers of at least 0, got '-1'."),
    "an option as an override": (["seed=3"], "`seed` must be given by --seeds, got 'seed=3'."),
    "a misspelt knob": (["data.n_trains=3"], "(did you mean 'data.n_train'?)"),
    "a knob of the wrong type": (["data.n_train=few"], "must be a whole number, got 'few'."),
    "a knob out of range": (["data.n_train=3"], "`n_train` must be at least 4, got 3."),
    "another launcher": (["hydra/launcher=basic"], "for a scan, got 'basic'."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words, *messages = MISTAKES[name]
    code, out, err = called(capsys, monkeypatch, "scan", *DIALS, *words)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    for message in messages:
        assert message in err
    assert not list(tmp_path.iterdir())


def test_one_is_added_to_the_factors_and_what_is_told_twice_counts_once() -> None:
    given = parsed(["data=dials", "--factors", "100,1e2,0.1", "--seeds", "1,0,1", "seeds.order=4"])
    assert given.factors == [0.1, 1.0, 100.0]
    assert given.seeds == [1, 0]
    assert given.overrides == ["data=dials", "seeds.order=4"]


@pytest.mark.slow
def test_fixed_weights_care_about_units_and_exact_bargaining_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("scan", *DIALS, "--factors", "1e-4,1e4", "--heads", "task_1")
    code, out, err = called(capsys, monkeypatch, *words)
    assert code == 0, err
    assert "| fixed | **cares about units** |" in out
    assert "| nash_mtl | **does not** |" in out
    assert err.count("finished in") == 6  # two methods: at 1, and at two factors of one head
    (folder,) = (tmp_path / "outputs/scans").iterdir()
    assert {path.name for path in folder.iterdir()} == {"scan.csv", "scan.md", "scan.png"}
    rows = pd.read_csv(folder / "scan.csv").set_index(["method", "factor"])["test/task_1/r2"]
    assert rows["fixed", 1.0] - rows["fixed", 1e-4] > 0.1
    for factor in (1e-4, 1e4):
        assert rows["nash_mtl", factor] == pytest.approx(rows["nash_mtl", 1.0], abs=1e-3)

    before = (folder / "scan.csv").read_bytes()
    code, again, err = called(capsys, monkeypatch, *words)
    assert (code, again) == (0, out)
    assert err.count("is there already") == 6
    assert "finished in" not in err
    assert (folder / "scan.csv").read_bytes() == before


@pytest.mark.slow
def test_a_run_that_fails_is_a_point_of_the_scan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "more" / "optimizer" / "broken.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text("_target_: keras.optimizers.Nonesuch\n")
    words = ("--methods", "fixed", "--factors", "10", "--config-dir", "more", "optimizer=broken")
    dials = [each for each in DIALS if not each.startswith("optimizer")]
    code, out, err = called(capsys, monkeypatch, "scan", *dials, *words)
    assert code == 1
    assert "| fixed | **cannot be said** |" in out
    assert "Cannot be said: 3 of the 3 runs of fixed failed or left no record." in out
    told = [line.partition(" (")[0] for line in err.splitlines() if line.startswith("failed: ")]
    points = ["fixed-0", "fixed-0 task_0 x 10", "fixed-0 task_1 x 10"]
    assert told == [f"failed: {point}" for point in points]
    (folder,) = (tmp_path / "outputs/scans").iterdir()
    rows = pd.read_csv(folder / "scan.csv")
    assert rows["status"].tolist() == ["failed"] * 3
    assert rows["factor"].tolist() == [1, 10, 10]
