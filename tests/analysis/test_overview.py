"""The tables of README: they say what the committed results say, and stand between their marks."""

from pathlib import Path

import pytest

from steelyard.analysis.overview import placed
from steelyard.cli import methods, overview

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_committed_results_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert overview.main(["--check"]) == 0
    assert "README.md is current" in capsys.readouterr().out


def test_a_page_that_is_not_current_is_told_and_mended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    page = tmp_path / "page.md"
    current = (ROOT / "README.md").read_text()
    page.write_text(current.replace("| age, mae |", "| age, MAE |"))
    assert overview.main(["--check", "--page", str(page)]) == 1
    assert overview.main(["--page", str(page)]) == 0
    assert page.read_text() == current
    assert list(tmp_path.iterdir()) == [page]


def test_a_table_stands_between_its_marks_and_leaves_the_rest() -> None:
    page = "one\n<!-- begin: x -->\nold\n\\1\n<!-- end: x -->\ntwo"
    found = placed(page, "x", r"| \1 |")
    assert found == "one\n<!-- begin: x -->\n| \\1 |\n<!-- end: x -->\ntwo"
    with pytest.raises(ValueError, match="`y` must stand between <!-- begin: y --> and"):
        placed(page, "y", "table")


def test_every_method_stands_in_the_table_as_its_paper_is_cited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    table = methods.table()
    for path in (ROOT / "conf/weighting").glob("*.yaml"):
        assert f"| `{path.stem}` |" in table
    assert "Défossez et al. 2023" in table
    assert "Lopez-Paz and Ranzato 2017" in table
    assert "{" not in table
