"""All studies on one page: each head's loss at the start, and what equal weights cost it."""

import re
from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from steelyard.analysis.changes import Change
from steelyard.analysis.phrases import number, pasted, share, told
from steelyard.analysis.recommend import recommend
from steelyard.analysis.study import EQUAL, Study

BEGIN, END = "<!-- begin: {name} -->", "<!-- end: {name} -->"


class Entry(NamedTuple):
    """A study, and what it was made with."""

    study: Study
    data: str
    model: str


def systems(entries: Sequence[Entry]) -> str:
    """Returns a Markdown table with a row a head: what it starts at and what equal weights cost."""
    lines = [
        "| study | `model=`, `data=` | head | loss at the start | share of the sum "
        "| measure | equal weights | recommended | alone |",
        "|---|---|---|---:|---:|---|---:|---:|---:|",
    ]
    for study, data, model in entries:
        answer = recommend(study)
        for n, head in enumerate(study.heads):
            measure = study.headline(head)
            name = f"test/{head}/{measure}"
            single = study.alone(head)
            best = study.of(answer.setting, name) if answer else None
            first = (f"[{study.name}](experiments/{study.name}/report.md)", f"`{model}`, `{data}`")
            cells = [
                *(first if n == 0 else ("", "")),
                head,
                number(study.of(EQUAL, f"start/{head}").mean),
                share(study.start_shares(EQUAL)[head]),
                measure,
                told(study.of(EQUAL, name)),
                f"**{told(best)}**",
                told(study.of(single, name)) if single else "-",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def answers(entries: Sequence[Entry]) -> str:
    """Returns a Markdown table with a row a study: the weights to use, and what they win back."""
    lines = [
        "| study | runs | recommended | won back of what equal weights lose |",
        "|---|---|---|---|",
    ]
    for study, _, _ in entries:
        answer = recommend(study)
        if answer is None:
            continue
        won = [
            f"{change.head} {share(change.won_back)}"
            for change in answer.changes
            if change.measure == study.headline(change.head) and not isnan(change.won_back)
        ]
        n_seeds = len(study.seeds)
        runs = f"{len(study.settings)} settings x {n_seeds} seed{'s' * (n_seeds != 1)}"
        weights, told_of = f"`{pasted(answer.weights)}`", ", ".join(won)
        if study.parts:
            runs = f"{runs} x {len(study.parts)} conditions"
            weights, told_of = "others in each condition", "see its report"
        cells = (
            f"[{study.name}](experiments/{study.name}/report.md)",
            runs,
            weights,
            told_of or _nothing_won_back(answer.changes),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _nothing_won_back(changes: Sequence[Change]) -> str:
    """Returns in words why the recommended weights win nothing back."""
    if all(change.equal_loses is None for change in changes):
        return "not known: one seed, or no heads alone"
    if any(change.equal_loses for change in changes):
        return "nothing clearly"
    return "equal weights lose nothing clearly"


def gains(study: Study) -> str:
    """Returns a Markdown table of what each head gains and loses in a study, and the weights."""
    answer = recommend(study)
    if answer is None:
        return "No setting of this study has finished."
    lines = [
        "| head, measure | equal weights | **recommended** | the head alone | won back |",
        "|---|---:|---:|---:|---:|",
    ]
    for change in answer.changes:
        values = (told(change.equal), f"**{told(change.recommended)}**", told(change.alone))
        cells = (f"{change.head}, {change.measure}", *values, share(change.won_back))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"`{pasted(answer.weights)}`"])


def placed(text: str, name: str, table: str) -> str:
    """Returns a page with what stands between the marks of a name replaced by a table.

    Raises:
        ValueError: The page has no such marks.
    """
    begin, end = BEGIN.format(name=name), END.format(name=name)
    if begin not in text or end not in text:
        raise ValueError(f"`{name}` must stand between {begin} and {end}, got no such marks.")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text)
