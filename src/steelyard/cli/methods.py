"""The table of methods: what each asks for and promises, from the methods themselves."""

import re
from pathlib import Path

import steelyard
from steelyard.weighting.base import Claim, Weighting

REFERENCES = Path("references.bib")  # beside the place where the command runs
ENTRY = re.compile(r"@\w+\{(?P<key>[^,]+),(?P<fields>.*?)\n\}", re.DOTALL)
FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", re.MULTILINE)
ACCENTS = {"{\\'e}": "é", '{\\"o}': "ö", '{\\"e}': "ë"}  # as TeX writes them
USES = {
    "multiply": "factors",
    "share": "shares of the gradient",
    "ignored": "ignored (0 takes a head out)",
}


def methods() -> list[type[Weighting]]:
    """Returns the classes of all methods, by name of file."""
    homes = steelyard.homes().items()
    names = [name for name, home in homes if home.startswith("steelyard.weighting.")]
    return sorted((getattr(steelyard, name) for name in names), key=lambda kind: kind.__module__)


def table() -> str:
    """Returns a Markdown table with a row a method."""
    papers = cited(REFERENCES.read_text(encoding="utf-8"))
    lines = [
        "| `weighting=` | class | what it does | paper | backward passes | loss weights are "
        "| scale-free | non-conflicting |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in methods():
        cells = (
            f"`{kind.__module__.rpartition('.')[2]}`",
            f"`{kind.__name__}`",
            (kind.__doc__ or "").splitlines()[0].rstrip("."),
            papers[kind.paper],
            "one a head" if kind.needs_gramian else "one",
            USES[kind.loss_weights],
            *("yes" if claim in kind.claims else "no" for claim in _CLAIMS),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


_CLAIMS = (Claim.SCALE_FREE, Claim.NON_CONFLICTING)


def cited(references: str) -> dict[str, str]:
    """Returns how each entry of a bibliography is cited: `Navon et al. 2022`."""
    found = {}
    for entry in ENTRY.finditer(references):
        told = entry["fields"]
        for tex, letter in ACCENTS.items():
            told = told.replace(tex, letter)
        fields = dict(FIELD.findall(told))
        authors = fields["author"].split(" and ")
        first = authors[0].partition(",")[0]
        more = {1: "", 2: f" and {authors[-1].partition(',')[0]}"}.get(len(authors), " et al.")
        found[entry["key"]] = f"{first}{more} {fields['year']}"
    return found
