"""`steelyard report`: says in words, tables and figures which loss weights serve every head."""

import re
from collections.abc import Sequence

from steelyard.analysis.report import write
from steelyard.analysis.study import Study
from steelyard.cli.compose import conf
from steelyard.cli.study import DATA, RUNS, folder_of, named_study
from steelyard.construct import Refused

WHAT = "Writes the report of a study: experiments/<study>/report.md, report.html and figures."


def main(arguments: Sequence[str]) -> int:
    """Writes the report of a study, and returns the exit code."""
    study = named_study("report", WHAT, arguments).study
    folder = folder_of(study)
    for name, command in ((DATA, "prepare"), (RUNS, "gather")):
        if not (folder / name).is_file():
            raise Refused(f"`{folder / name}` must be made first: steelyard {command} {study}.")
    write(Study.read(folder), folder, asked(study))
    print(f"The answer: {folder / 'report.html'} (and {folder / 'report.md'})")
    return 0


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
