"""`steelyard report`: says in words, tables and figures which loss weights serve every head."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from steelyard.analysis.recommend import recommend
from steelyard.analysis.report import Beside, write
from steelyard.analysis.study import Study
from steelyard.cli import methods
from steelyard.cli.compose import composed, composing, conf
from steelyard.cli.study import DATA, RUNS, folder_of, named_study
from steelyard.cli.validate import without_hydra
from steelyard.construct import Refused, construct
from steelyard.identity import plain
from steelyard.references import bibliography, fields_of, keys_of
from steelyard.tracking.run_key import BESIDE
from steelyard.tracking.tracker import Tracker
from steelyard.weighting.base import Weighting

VARIED = ("loss_weights", "weighting", "seed", "seeds", "runtime")
WHAT = "Writes the report of a study: experiments/<study>/report.md, report.html and figures."


def main(arguments: Sequence[str]) -> int:
    """Writes the report of a study, and returns the exit code."""
    study = named_study("report", WHAT, arguments).study
    folder = folder_of(study)
    for name, command in ((DATA, "prepare"), (RUNS, "gather")):
        if not (folder / name).is_file():
            raise Refused(f"`{folder / name}` must be made first: steelyard {command} {study}.")
    found, config = Study.read(folder), configured(study)
    methods_of = sorted(set(found.runs["weighting"]))
    write(found, folder, beside(study, config, methods_of, varied(study)))
    answer = recommend(found)
    if answer and not found.parts:
        runs = found.runs
        best = set(runs.loc[runs["setting"] == answer.setting, "run_key"])
        tracker: Tracker = construct(config.tracker)
        words = (folder / "report.md").read_text(encoding="utf-8").partition("\n![")[0]
        tracker.show_report(Path(config.output), study, folder, words, best)
    print(f"The answer: {folder / 'report.html'} (and {folder / 'report.md'})")
    return 0


def configured(study: str) -> DictConfig:
    """Returns the configuration of a study's runs, but for what they sweep over."""
    with composing():
        return without_hydra(composed([f"experiment={study}"]))


def varied(study: str) -> list[str]:
    """Returns the keys of what a study tunes and goes across, such as `optimizer.learning_rate`."""
    with composing():
        sweeper = composed([f"experiment={study}"]).hydra.sweeper
    across = sweeper.get("across")
    return [*(sweeper.get("tuned") or []), *([across] if across else [])]


def beside(
    study: str, config: DictConfig, weightings: Sequence[str], keys_varied: Sequence[str] = ()
) -> Beside:
    """Returns what a report tells beside records.

    Args:
        study: The study.
        config: Of its runs.
        weightings: The methods that it trained, by file; of one that holds another both.
        keys_varied: What else differs between its runs, by dotted key.
    """
    settings = {name: each for name, each in plain(config).items() if name not in BESIDE}
    kinds = {kind.__module__.rpartition(".")[2]: kind for kind in methods.methods()}
    used = [kinds[name] for told in weightings for name in told.split() if name in kinds]
    keys = sorted({*keys_of(settings), *(kind.paper for kind in used)})
    entries = bibliography()
    shared = OmegaConf.create({name: each for name, each in settings.items() if name not in VARIED})
    for key in keys_varied:
        parent, _, name = key.rpartition(".")
        del OmegaConf.select(shared, parent)[name]
    return Beside(
        expectation=asked(study),
        costs={told: _cost(kinds, told) for told in weightings},
        settings=OmegaConf.to_yaml(shared),
        citations=[_line(key, entries[key]) for key in keys if key in entries],
    )


def _cost(kinds: Mapping[str, type[Weighting]], told: str) -> str:
    """Returns what a step of a method costs; of one that holds another, of that."""
    held = kinds.get(told.rsplit(maxsplit=1)[-1])
    return methods.cost(held) if held else "-"


def _line(key: str, entry: str) -> str:
    """Returns an entry as a line of Markdown."""
    fields = fields_of(entry)
    title = re.sub(r"[{}]", "", fields.get("title", ""))
    return f"{methods.cited()[key]}, *{title}* (`{key}`)"


def asked(study: str) -> str:
    """Returns what a study's configuration says at its head: question, cost, expectation."""
    lines = (conf() / "experiment" / f"{study}.yaml").read_text(encoding="utf-8").splitlines()
    told = []
    for line in lines[1:]:
        if not line.startswith("#"):
            break
        text = line.removeprefix("#").strip()
        told.append(re.sub(r"^(Question|Run|Costs|Expect)\s+", r"\n**\1:** ", text))
    return "\n".join(told).strip()
