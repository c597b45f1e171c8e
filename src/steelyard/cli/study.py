"""A study on disk: its runs as Hydra composes them, and the folder of its results."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from hydra_plugins.steelyard.arms import ArmsConfig, asked_of, sweep_of
from steelyard.cli.compose import composed, composing, conf
from steelyard.cli.parser import Parser
from steelyard.cli.validate import without_hydra
from steelyard.construct import Refused
from steelyard.sweep.marks import check_apart, marks_of

PLAN, RUNS, CURVES, DATA = "plan.json", "runs.csv", "curves.csv", "data.json"
FOLDER = Path("experiments")


class Job(NamedTuple):
    """A run of a study."""

    overrides: list[str]
    config: DictConfig
    marks: dict[str, Any]  # what is told of it beside its setting: `tuned`, `across`


def jobs(study: str) -> list[Job]:
    """Returns the runs of a study, composed and checked.

    Raises:
        Refused: There is no such study, a run of it cannot be carried out, or two are one to it.
    """
    with composing():
        whole = composed([f"experiment={study}"])
        sweeper = whole.hydra.sweeper
        if sweeper._target_ != ArmsConfig._target_ or sweeper.halving is not None:
            raise Refused(f"`{study}` must say which runs it has, got a search, whose results do.")
        asked = asked_of(sweeper)
        loader = GlobalHydra.instance().config_loader()
        runs = sweep_of(loader, whole, asked, [], lead=[f"experiment={study}"])
    check_apart(asked.tuned, asked.across, runs.jobs, runs.configs)
    return [
        Job(job, without_hydra(config), marks_of(asked.tuned, asked.across, config))
        for job, config in zip(runs.jobs, runs.configs, strict=True)
    ]


def folder_of(study: str) -> Path:
    """Returns where a study's results are."""
    return FOLDER / study


def read_plan(study: str) -> dict[str, Any]:
    """Returns a study's plan.

    Raises:
        Refused: It has none yet.
    """
    path = folder_of(study) / PLAN
    if not path.is_file():
        raise Refused(f"`{path}` must be made first: steelyard plan {study}.")
    plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return plan


def named_study(command: str, what: str, arguments: Sequence[str], *more: Any) -> Any:
    """Returns the arguments of a command that takes the name of a study.

    Args:
        command: Its name.
        what: What it does, for its help.
        arguments: Of the command line.
        more: Functions that add further options to the parser.
    """
    studies = sorted(path.stem for path in (conf() / "experiment").glob("*.yaml"))
    parser = Parser(prog=f"steelyard {command}", description=what)
    parser.add_argument("study", help=f"a file of conf/experiment: {', '.join(studies)}")
    for add in more:
        add(parser)
    found = parser.parse_args(list(arguments))
    if found.study not in studies:
        raise Refused(f"`study` must be one of {', '.join(studies)}, got {found.study!r}.")
    return found


def write_json(path: Path, value: Any) -> None:
    """Writes a value, under another name first, so that the file is whole whenever it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
