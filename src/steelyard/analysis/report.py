"""A study's report: the answer first, in words, then tables and figures; Markdown and one page."""

import base64
import json
import math
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import markdown
from jinja2 import Environment, StrictUndefined

from steelyard.analysis import figures
from steelyard.analysis.evidence import Estimate, estimate
from steelyard.analysis.recommend import Change, Recommendation, recommend
from steelyard.analysis.study import EQUAL, Study

TEMPLATES = files("steelyard.analysis") / "templates"


def write(study: Study, folder: Path, expectation: str) -> None:
    """Writes `report.md`, `report.html`, `summary.json` and `figures/` of a study.

    Args:
        study: Its results.
        folder: Where they go.
        expectation: What was asked and expected, as the study's configuration says it.
    """
    answer = recommend(study)
    names = figures.draw(study, answer, folder / "figures")
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"told": told, "gap": gap, "share": share, "number": number}
    template = environment.from_string((TEMPLATES / "report.md.j2").read_text(encoding="utf-8"))
    text = template.render(
        study=study,
        answer=answer,
        figures=names,
        expectation=expectation,
        equal=EQUAL,
        estimate=estimate,
        verdict=verdict,
        chosen=chosen,
        unserved=unserved,
        pasted=pasted(answer.weights) if answer else "",
        n_failed=int((study.runs["status"] == "failed").sum()),
        n_diverged=int((study.runs["status"] == "diverged").sum()),
    )
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    _write(folder / "report.md", text)
    _write(folder / "report.html", page(text, folder, study.name))
    _write(
        folder / "summary.json", json.dumps(summary(study, answer), indent=1, sort_keys=True) + "\n"
    )


def page(text: str, folder: Path, title: str) -> str:
    """Returns a report as one page that needs no other file."""
    body = markdown.markdown(text, extensions=["tables", "fenced_code"])

    def embedded(match: re.Match[str]) -> str:
        content = base64.b64encode((folder / match[1]).read_bytes()).decode()
        return f'src="data:image/png;base64,{content}"'

    body = re.sub(r'src="(figures/[^"]+\.png)"', embedded, body)
    body = body.replace("<table>", '<div class="table"><table>').replace(
        "</table>", "</table></div>"
    )
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(
        (TEMPLATES / "report.html.j2").read_text(encoding="utf-8")
    )
    return template.render(title=f"steelyard: {title}", body=body) + "\n"


def summary(study: Study, answer: Recommendation | None) -> dict[str, Any]:
    """Returns the numbers of the answer, rounded as the tables are."""
    settings = {
        setting: {
            "score": _rounded(estimate(study.scores(setting))),
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


def chosen(study: Study, answer: Recommendation) -> str:
    """Returns in words from which settings the recommended one was chosen."""
    n, n_serve, n_seeds = len(study.fixed), len(answer.candidates), len(study.seeds)
    tried = (
        f"{n} fixed setting{'s' * (n != 1)} tried, with {n_seeds} seed{'s' * (n_seeds != 1)} each"
    )
    if not answer.serves_all:
        return f"Among the {tried}, these weights have the best score on validation:"
    share = f"In {n_serve} of the" if n_serve < n else "In each of the" if n > 1 else "In the"
    among = "among such settings " if n_serve < n else ""
    best = (
        f"{among}these weights have the best score there"
        if n_serve > 1
        else "these are its weights"
    )
    return f"{share} {tried}, every head beats its best constant guess on validation, and {best}:"


def unserved(answer: Recommendation) -> str:
    """Returns in words which heads do not beat a constant guess, where no setting serves all."""
    never, here = answer.never_served, answer.unserved[answer.setting]
    others = " or ".join(head for head in here if head not in never)
    if not never:
        return f"each beats its best constant guess in some, but {others} not with these weights"
    told = f"in none of them does {' or '.join(never)} beat its best constant guess on validation"
    return told + (f", nor with these weights {others}" if others else "")


def verdict(change: Change) -> str:
    """Returns in words whether a head gained or lost against equal weights."""
    if change.against_equal is None:
        return "not known: equal weights were not tried"
    difference = change.against_equal
    if not difference.is_apart_from_zero:
        return "no clear difference"
    is_gain = (difference.mean > 0) == change.more_is_better
    return "gains" if is_gain else "loses"


def pasted(weights: dict[str, float]) -> str:
    """Returns loss weights ready to paste into `compile`."""
    inner = ", ".join(f'"{head}": {weight:.4g}' for head, weight in weights.items())
    return f"loss_weights={{{inner}}}"


def told(value: Estimate | None) -> str:
    """Returns a mean with the half width of its interval."""
    if value is None or math.isnan(value.mean):
        return "-"
    return number(value.mean) + ("" if math.isnan(value.half) else f" ± {number(value.half)}")


def gap(value: Estimate | None) -> str:
    """Returns a difference with its sign and its interval."""
    if value is None or math.isnan(value.mean):
        return "-"
    sign = "+" if value.mean >= 0 else "−"
    half = "" if math.isnan(value.half) else f" ± {number(value.half)}"
    return f"{sign}{number(abs(value.mean))}{half}"


def share(value: float) -> str:
    """Returns a share as a percentage."""
    if math.isnan(value):
        return "-"
    is_near_an_end = 0 < value < 0.01 or 0.99 < value < 1  # noqa: PLR2004
    return f"{100 * value:.2f} %" if is_near_an_end else f"{100 * value:.0f} %"


def number(value: float) -> str:
    """Returns a number to four significant digits, without an exponent where that is short."""
    if math.isnan(value):
        return "-"
    size = abs(value)
    if size >= 1000:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3f}" if size < 10 else f"{value:.2f}" if size < 100 else f"{value:.1f}"  # noqa: PLR2004


def _rounded(value: Estimate) -> dict[str, float | None]:
    pairs = {"mean": value.mean, "half": value.half}
    return {
        name: None if math.isnan(each) else float(f"{each:.6g}") for name, each in pairs.items()
    }


def _plain(weights: dict[str, float]) -> dict[str, float]:
    return {head: float(f"{weight:.6g}") for head, weight in weights.items()}


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
