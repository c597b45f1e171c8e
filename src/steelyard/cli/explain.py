"""`steelyard explain`: says who dominated a finished run, why, and what would help."""

import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from steelyard.analysis.explaining.explain import Explanation, explain
from steelyard.cli.again import again, probe
from steelyard.cli.explain_tables import course, outcome
from steelyard.cli.parser import Parser
from steelyard.construct import Refused
from steelyard.tracking.record import FITTED, HISTORY, RECORD, TRACEBACK, RunFolder, find

WHAT = "Says who dominated a finished run and when, why, and what would help, from its record."


def main(arguments: Sequence[str]) -> int:
    """Prints the explanation, and returns the exit code."""
    parser = Parser(prog="steelyard explain", description=WHAT)
    parser.add_argument("run", help="its key (or the key's beginning), its name, or its folder")
    parser.add_argument("--output", default="outputs", help="where the runs are (outputs)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    given = parser.parse_args(list(arguments))
    try:
        folder = find(Path(given.output), given.run)
    except ValueError as error:
        raise Refused(str(error)) from error
    record = folder.last()
    if record is None:
        raise Refused(f"`run` must be one that ended, got {folder.path.name}, not ended.")
    found = explain(record, folder.history(), _tasks(folder))
    if given.json:
        print(json.dumps(as_json(found), indent=1, ensure_ascii=False))
    else:
        tell(found, folder)
    return 0


def _tasks(folder: RunFolder) -> list[dict[str, Any]]:
    """Returns the tasks of a run's heads; none where an earlier version kept none."""
    return list(folder.fitted()["tasks"]) if (folder.path / FITTED).is_file() else []


def as_json(found: Explanation) -> dict[str, Any]:
    """Returns an explanation as JSON holds it, null for what is not known."""
    story, held = found.story, found.story.dominance
    heads = [
        {
            **asdict(head),
            "weight": head.weight,
            "share": head.share,
            "fell_to": head.fell_to,
            "is_served": head.is_served,
            "best_epoch": head.best_epoch,
            "worse_after": head.worse_after,
            "has_overfitted": head.has_overfitted,
        }
        for head in story.heads
    ]
    told = {
        "run_key": story.record.get("run_key"),
        "name": story.record.get("name"),
        "status": story.status,
        "verdict": found.verdict,
        "dominance": None if held is None else {**held._asdict(), "is_lasting": held.is_lasting},
        "kept_epoch": story.kept_epoch,
        "heads": heads,
        "causes": [asdict(cause) for cause in found.causes],
        "advice": [asdict(each) for each in found.advice],
        "unknown": found.unknown,
    }
    return {name: _known(value) for name, value in told.items()}


def _known(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {name: _known(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_known(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node


def tell(found: Explanation, folder: RunFolder) -> None:
    """Prints an explanation."""
    console = Console(highlight=False, markup=False)
    story = found.story
    console.print(Text(textwrap.fill(found.verdict, console.width), style="bold"), soft_wrap=True)
    if story.heads:
        console.print()
        console.print(course(story.heads))
        console.print()
        if story.kept_epoch:
            console.print(f"Epoch {story.kept_epoch} of {story.n_epochs} was kept:")
        console.print(outcome(story.heads, story.n_epochs))
    if story.heads and found.unknown:
        console.print()
    for line in found.unknown:
        console.print(Text(textwrap.fill(line, console.width), style="dim"), soft_wrap=True)
    console.print()
    _causes(console, found)
    _advice(console, found)
    _sources(console, folder)
    if len(story.heads) > 1 and not story.is_unshared:
        console.print(
            Text(f"Next, the heads measured alone and together: {probe(story)}"), soft_wrap=True
        )


def _causes(console: Console, found: Explanation) -> None:
    console.print(Text("Why", style="bold"))
    for cause in found.causes:
        _item(console, f"{cause.name}: {cause.says}{'' if cause.says.endswith('?') else '.'}")
        _item(console, f"(rule: {cause.rule})", is_aside=True)
    if not found.causes:
        is_well = found.story.status == "finished" and not found.story.unserved
        want = "" if found.story.has_gradients else ", for want of gradients"
        says = "Nothing is amiss by any rule." if is_well else f"No rule tells why{want}."
        _item(console, says)
    console.print()


def _advice(console: Console, found: Explanation) -> None:
    console.print(Text("What would help", style="bold"))
    words = again(found.story)
    for each in found.advice:
        _item(console, each.says)
        if each.loss_weights:
            pasted = ", ".join(f'"{head}": {value:g}' for head, value in each.loss_weights.items())
            _command(console, f"loss_weights={{{pasted}}}")
        if each.overrides:
            _command(console, words(each.overrides))
        if each.sweep:
            _command(console, words(each.sweep, is_sweep=True))
    if not found.advice:
        _item(console, "Nothing that follows from these numbers.")
    console.print()


def _item(console: Console, says: str, *, is_aside: bool = False) -> None:
    """Prints an item of a list, wrapped within its own margin."""
    lead = "  " if is_aside else "- "
    wrapped = textwrap.fill(says, console.width, initial_indent=lead, subsequent_indent="  ")
    console.print(Text(wrapped, style="dim" if is_aside else ""), soft_wrap=True)


def _command(console: Console, line: str) -> None:
    """Prints a line to be pasted, whole, however long."""
    console.print(Text(f"    {line}", style="cyan"), soft_wrap=True)


def _sources(console: Console, folder: RunFolder) -> None:
    names = [name for name in (RECORD, HISTORY, TRACEBACK) if (folder.path / name).is_file()]
    console.print(Text(f"From {folder.path}: {', '.join(names)}", style="dim"), soft_wrap=True)
