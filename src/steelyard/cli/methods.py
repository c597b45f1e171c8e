"""The tables of methods: what each asks for and promises, from the methods themselves."""

import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from functools import reduce
from inspect import getdoc

import steelyard
from steelyard.references import bibliography, fields_of
from steelyard.weighting.base import Claim, Weighting

ACCENTS = {"{\\'e}": "é", '{\\"o}': "ö", '{\\"e}': "ë"}  # as TeX writes them
USES = {
    "multiply": "factors",
    "share": "shares of the gradient",
    "ignored": "ignored (0 takes a head out)",
}
PROMISES = {
    Claim.CONVEX: "convex",
    Claim.SUMS_TO_ONE: "sum 1",
    Claim.SUMS_TO_K: "sum K",
    Claim.EQUIVARIANT: "any order",
    Claim.SCALE_FREE: "scale-free",
    Claim.SCALE_FREE_DIRECTION: "scale-free direction",
    Claim.NON_CONFLICTING: "non-conflicting",
}
IMPLIED = {Claim.CONVEX: Claim.SUMS_TO_ONE, Claim.SCALE_FREE: Claim.SCALE_FREE_DIRECTION}
COLUMNS = (
    "`weighting=`",
    "class",
    "what it does",
    "paper",
    "backward passes a step",
    "loss weights are",
    "promises",
)
DEPARTURE = re.compile(r"Departs from the paper: (.+?)(?:\n\n|$)", re.DOTALL)
SENTENCE = re.compile(r"\.(?=\s[A-Z(]|$)")  # its full stop, and not that of `et al. 2022`


def methods() -> list[type[Weighting]]:
    """Returns the classes of all methods, by name of file."""
    homes = steelyard.homes().items()
    names = [name for name, home in homes if home.startswith("steelyard.weighting.")]
    return sorted((getattr(steelyard, name) for name in names), key=lambda kind: kind.__module__)


def table() -> str:
    """Returns Markdown tables with a row a method: what it is, and where it leaves its paper."""
    papers = cited()
    kinds = methods()
    facts = [
        (
            _code(_file(kind)),
            _code(kind.__name__),
            (getdoc(kind) or "").splitlines()[0].rstrip("."),
            papers[kind.paper],
            cost(kind),
            "its method's" if holds(kind) else USES[kind.loss_weights],
            promises(kind),
        )
        for kind in kinds
    ]
    departures = [(_code(_file(kind)), departure(kind)) for kind in kinds]
    meanings = [f"- {name}: {claim.value}" for claim, name in PROMISES.items()]
    lines = [
        *_rows(COLUMNS, facts),
        "",
        "What is promised (of sums: at loss weights of 1) is measured by a test, both ways:",
        "",
        *meanings,
        "",
        "<details><summary>Where each departs from its paper, first of all</summary>",
        "",
        *_rows(("`weighting=`", "departs in this"), departures),
        "",
        "</details>",
    ]
    return "\n".join(lines)


def holds(kind: type[Weighting]) -> bool:
    """Whether a method holds another one, and has to be given it."""
    return any(each.name == "method" and each.default is MISSING for each in fields(kind))


def cost(kind: type[Weighting]) -> str:
    """Returns what a step of a method costs, in passes."""
    if holds(kind):
        return "its method's"
    passes = "one a head" if kind.needs_gramian or kind.needs_coordinates else "one"
    return f"{passes}, and one more forward" if kind.needs_losses_after else passes


def promises(kind: type[Weighting]) -> str:
    """Returns what a method claims, leaving out what follows from the rest."""
    implied = {IMPLIED[claim] for claim in kind.claims & IMPLIED.keys()}
    told = ", ".join(PROMISES[claim] for claim in Claim if claim in kind.claims - implied)
    return f"of its method's: {told}" if holds(kind) else told or "-"


def departure(kind: type[Weighting]) -> str:
    """Returns the first sentence of what a method's docstring says of its paper.

    What it does with loss weights is left out: that has a column of its own.
    """
    found = DEPARTURE.search(getdoc(kind) or "")
    if not found:
        return "-"
    clauses = SENTENCE.split(" ".join(found[1].split()))[0].split("; ")
    rest = [clause for clause in clauses if "loss weights" not in clause]
    return "; ".join(rest or clauses)


def cited() -> dict[str, str]:
    """Returns how each entry of the references is cited: `Navon et al. 2022`."""
    found = {}
    for key, entry in bibliography().items():
        told = fields_of(reduce(lambda text, pair: text.replace(*pair), ACCENTS.items(), entry))
        authors = told["author"].split(" and ")
        first = authors[0].partition(",")[0]
        more = {1: "", 2: f" and {authors[-1].partition(',')[0]}"}.get(len(authors), " et al.")
        found[key] = f"{first}{more} {told['year']}"
    return found


def _file(kind: type[Weighting]) -> str:
    return kind.__module__.rpartition(".")[2]


def _code(text: str) -> str:
    return f"`{text}`"


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in (columns, *rows)]
    lines = [f"| {' | '.join(cells)} |" for cells in escaped]
    return [lines[0], f"|{'---|' * len(columns)}", *lines[1:]]
