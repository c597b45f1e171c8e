"""`steelyard overview`: writes the tables of README: the studies' results, and the methods."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from steelyard.analysis.overview import Entry, answers, gains, placed, systems
from steelyard.analysis.study import EQUAL, Study
from steelyard.cli import methods
from steelyard.cli.compose import conf
from steelyard.cli.parser import Parser
from steelyard.cli.study import FOLDER, RUNS
from steelyard.construct import Refused

WHAT = "Writes the tables of methods and studies into a page, between its marks."
SHOWN = ("clothing",)  # the studies whose gains the page opens with
DEFAULTS = {"data": "posts_synthetic", "model": "posts"}


def main(arguments: Sequence[str]) -> int:
    """Writes the tables, and returns the exit code: 1 where `--check` finds other ones."""
    parser = Parser(prog="steelyard overview", description=WHAT)
    parser.add_argument("--page", default="README.md", help="where they go (README.md)")
    parser.add_argument("--check", action="store_true", help="write nothing, say if it is current")
    given = parser.parse_args(list(arguments))
    path = Path(given.page)
    if not path.is_file():
        raise Refused(f"`page` must be a file that exists, got {given.page!r}.")
    before = path.read_text(encoding="utf-8")
    found = entries()
    now = written(before, found)
    if given.check:
        print(f"{path} is {'current' if now == before else 'not current: steelyard overview'}.")
        return 0 if now == before else 1
    part = path.with_name(f"{path.name}.part")
    part.write_text(now, encoding="utf-8")
    part.replace(path)
    print(f"{len(found)} studies: {path}")
    return 0


def written(page: str, found: Sequence[Entry]) -> str:
    """Returns a page with its tables as the results say them."""
    tables = {"methods": methods.table(), "systems": systems(found), "studies": answers(found)}
    tables |= {entry.study.name: gains(entry.study) for entry in found if entry.study.name in SHOWN}
    try:
        for name, table in tables.items():
            page = placed(page, name, table)
        return page
    except ValueError as error:
        raise Refused(str(error)) from error


def entries() -> list[Entry]:
    """Returns the studies that have results, in the order of their configurations' names."""
    found = []
    for path in sorted((conf() / "experiment").glob("*.yaml")):
        folder = FOLDER / path.stem
        if (folder / RUNS).is_file():
            study = Study.read(folder)
            if EQUAL in study.settings:
                chosen = DEFAULTS | _chosen(path)
                found.append(Entry(study, chosen["data"], chosen["model"]))
    return found


def _chosen(path: Path) -> dict[str, str]:
    """Returns what an experiment's file chooses of each group."""
    defaults: Any = OmegaConf.to_container(OmegaConf.load(path)).get("defaults", [])  # type: ignore[union-attr]
    pairs = [pair for each in defaults if isinstance(each, dict) for pair in each.items()]
    return {key.removeprefix("override /"): value for key, value in pairs}
