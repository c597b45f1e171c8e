"""`steelyard cite`: prints the BibTeX of what a run used."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from steelyard.cli.parser import Parser
from steelyard.cli.predict import settings_of
from steelyard.construct import Refused
from steelyard.references import FILE, bibliography, keys_of
from steelyard.tracking.record import find

WHAT = "Prints the BibTeX of what a run used: its method, its data, its encoders."


def main(arguments: Sequence[str]) -> int:
    """Prints the entries, and returns the exit code: 1 where one is not known."""
    parser = Parser(prog="steelyard cite", description=WHAT)
    parser.add_argument("run", help="its key (or the key's beginning), its name, or its folder")
    parser.add_argument("--output", default="outputs", help="where the runs are (outputs)")
    given = parser.parse_args(list(arguments))
    try:
        folder = find(Path(given.output), given.run)
    except ValueError as error:
        raise Refused(str(error)) from error
    record = folder.last() or {}
    keys = record.get("references", keys_of(settings_of(folder)))
    entries = bibliography()
    print("\n\n".join(published(entries[key]) for key in keys if key in entries))
    missing = [key for key in keys if key not in entries]
    if missing:
        print(f"references.bib has no entry for {', '.join(missing)}.", file=sys.stderr)
    return 1 if missing else 0


def published(entry: str) -> str:
    """Returns an entry without the field that is ours alone."""
    return re.sub(rf"^\s*{FILE}\s*=.*\n", "", entry, flags=re.MULTILINE)
