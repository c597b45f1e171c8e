"""What a run is to cite: its method, the one that is held, its data and its encoders."""

import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from steelyard.identity import described, method_of
from steelyard.references import bibliography, keys_of
from steelyard.tracking.tracker import Identity
from tests.cli.commands import called
from tests.house.test_census import ROOT, composed

FIXED = ["kurin2022defense"]  # the paper of fixed weights


def settings(*overrides: str) -> dict[str, Any]:
    found: Any = OmegaConf.to_container(composed(*overrides), resolve=True)
    return dict(found)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run on wine, by a method that holds another."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "outputs/runs/0123456789abcdef"
    folder.mkdir(parents=True)
    given = settings("data=wine", "weighting=smoothed", "weighting@weighting.method=cagrad")
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(given)))
    tags = dict.fromkeys(("weighting", "setting", "git_commit"), "")
    record = described(Identity("0123456789abcdef", "smoothed-0", "scratch", "", tags), given)
    (folder / "record.json").write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((), FIXED),
        (("data=canvas", "weighting=mgda"), ["lecun1998gradient", "sener2018multi"]),
        (("data=babi", "model=average"), [*FIXED, "joulin2017bag", "weston2015towards"]),
        (("data=digits",), ["alpaydin1998optical", *FIXED]),
        (("data=skin",), [*FIXED, "tschandl2018ham10000"]),
        (
            ("data=wine", "weighting=smoothed"),
            ["cortez2009modeling", "navon2022multi", "zhou2022convergence"],
        ),
    ],
)
def test_a_configuration_names_what_is_to_be_cited(
    overrides: tuple[str, ...], expected: list[str]
) -> None:
    assert keys_of(settings(*overrides)) == sorted(expected)
    assert set(expected) <= set(bibliography())


def test_the_entries_of_a_run_are_printed(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = called(capsys, monkeypatch, "cite", "0123")
    assert (code, err) == (0, "")
    keys = ("cortez2009modeling", "liu2021conflict", "zhou2022convergence")
    assert [line for line in out.splitlines() if line.startswith("@")] == [
        "@article{cortez2009modeling,",
        "@inproceedings{liu2021conflict,",
        "@inproceedings{zhou2022convergence,",
    ]
    assert "winequality" not in out  # by what file an entry is known is nobody else's business
    assert "  year    = {2009}\n}" in out
    assert json.loads((run / "record.json").read_text())["references"] == list(keys)


def test_a_run_of_an_earlier_version_is_asked_anew(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = json.loads((run / "record.json").read_text())
    del record["references"]
    (run / "record.json").write_text(json.dumps(record))
    code, out, _ = called(capsys, monkeypatch, "cite", str(run))
    assert (code, out.count("@")) == (0, 3)


def test_a_key_without_an_entry_is_told(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = json.loads((run / "record.json").read_text())
    record["references"] = ["nobody2030nothing", "liu2021conflict"]
    (run / "record.json").write_text(json.dumps(record))
    code, out, err = called(capsys, monkeypatch, "cite", "smoothed-0")
    assert (code, out.count("@")) == (1, 1)
    assert err == "references.bib has no entry for nobody2030nothing.\n"


def test_no_such_run_is_told_in_one_line(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = called(capsys, monkeypatch, "cite", "nothing")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "must be the key, the name or the folder of one run" in err


def test_every_entry_of_the_references_is_read() -> None:
    text = (ROOT / "references.bib").read_text()
    assert len(bibliography()) == sum(line.startswith("@") for line in text.splitlines())


def test_a_method_that_holds_another_is_called_by_both() -> None:
    assert method_of(settings()["weighting"]) == "fixed"
    held = settings("weighting=warm_up", "weighting@weighting.method=smoothed")
    assert method_of(held["weighting"]) == "warm_up smoothed nash_mtl"
