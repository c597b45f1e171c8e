"""A study's report: the answer first, in words, then tables and figures; Markdown and one page."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from steelyard.analysis import across_figure, figures, phrases
from steelyard.analysis.ceilings import gaps_to_ceilings
from steelyard.analysis.comparison import compare
from steelyard.analysis.evidence import Estimate
from steelyard.analysis.page import TEMPLATES, page, write_text
from steelyard.analysis.recommend import Recommendation, recommend
from steelyard.analysis.single_tasks import against_single_tasks
from steelyard.analysis.study import EQUAL, Study
from steelyard.analysis.sweep_summary import summarise


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a report tells that no run's record holds.

    Attributes:
        expectation: What was asked and expected, as the study's configuration says it.
        costs: What a step of each method costs, in words, by the name of its file.
        settings: What all runs of the study share, as YAML.
        citations: What is to be cited: a line of Markdown each.
    """

    expectation: str = ""
    costs: Mapping[str, str] = field(default_factory=dict)
    settings: str = ""
    citations: Sequence[str] = ()


def write(study: Study, folder: Path, beside: Beside) -> None:
    """Writes `report.md`, `report.html`, `summary.json` and `figures/` of a study.

    Args:
        study: Its results.
        folder: Where they go.
        beside: What no record holds.
    """
    if study.parts:
        text = _across(study, folder, beside)
        found: dict[str, Any] = {
            "study": study.name,
            "parts": {at: summary(part, recommend(part)) for at, part in study.parts.items()},
        }
    else:
        answer = recommend(study)
        names = figures.draw(study, answer, folder / "figures")
        text = _rendered("report.md.j2", **_said(study, answer, beside), figures=names)
        found = summary(study, answer)
    write_text(folder / "report.md", text)
    write_text(folder / "report.html", page(text, folder, study.name))
    write_text(folder / "summary.json", json.dumps(found, indent=1, sort_keys=True) + "\n")


def _said(study: Study, answer: Recommendation | None, beside: Beside) -> dict[str, Any]:
    """Returns what a template is told of a study."""
    return {
        "study": study,
        "answer": answer,
        "beside": beside,
        "rows": sorted(
            compare(study), key=lambda row: (math.isnan(row.score.mean), row.score.mean)
        ),
        "volumes": summarise(study),
        "singles": against_single_tasks(study),
        "gaps": gaps_to_ceilings(study),
        "equal": EQUAL,
        "pasted": phrases.pasted(answer.weights) if answer else "",
        "n_failed": int((study.runs["status"] == "failed").sum()),
        "n_diverged": int((study.runs["status"] == "diverged").sum()),
    }


def _across(study: Study, folder: Path, beside: Beside) -> str:
    """Returns the report of a study that goes across conditions, and draws its figures."""
    parts = []
    for n, (at, part) in enumerate(study.parts.items()):
        answer = recommend(part)
        names = figures.draw(part, answer, folder / "figures" / f"part_{n}")
        parts.append({"at": at, "names": names, "n": n, **_said(part, answer, beside)})
    across_figure.draw(study, folder / "figures")
    table = across_figure.scores(study)
    return _rendered(
        "across.md.j2", study=study, parts=parts, beside=beside, table=table, equal=EQUAL
    )


def _rendered(name: str, **values: Any) -> str:
    environment = Environment(
        loader=FunctionLoader(_template),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for each in ("told", "gap", "share", "number"):
        environment.filters[each] = getattr(phrases, each)
    text = environment.get_template(name).render(phrases=phrases, **values)
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def summary(study: Study, answer: Recommendation | None) -> dict[str, Any]:
    """Returns the numbers of the answer, rounded as the tables are."""
    settings = {
        setting: {
            "score": _rounded(study.score(setting)),
            **{
                f"{head}/{measure}": _rounded(study.of(setting, f"test/{head}/{measure}"))
                for head in study.heads
                for measure in study.measures(head)
            },
        }
        for setting in study.settings
    }
    found: dict[str, Any] = {"study": study.name, "seeds": study.seeds, "settings": settings}
    if answer:
        found["recommended"] = {"setting": answer.setting, "weights": _plain(answer.weights)}
        found["won_back"] = {
            f"{change.head}/{change.measure}": float(f"{change.won_back:.6g}")
            for change in answer.changes
            if not math.isnan(change.won_back)
        }
    return found


def _rounded(value: Estimate) -> dict[str, float | None]:
    pairs = {"mean": value.mean, "half": value.half}
    return {
        name: None if math.isnan(each) else float(f"{each:.6g}") for name, each in pairs.items()
    }


def _plain(weights: dict[str, float]) -> dict[str, float]:
    return {head: float(f"{weight:.6g}") for head, weight in weights.items()}
