"""The answers of two sides as tables: where they agree, where they differ, and who is right."""

import importlib.metadata
import inspect
import platform
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from asking import in_turn, method_of, weights_of
from conditions import CONDITIONS, CONVENTIONS, OTHER_RULES
from published import hand_numbers, identities, published_numbers, shown
from steelyard.weighting.base import Claim

N_TASKS, N_PARAMETERS = (2, 3, 5, 8), 20
FAMILIES = {
    "equal": "normal numbers",
    "spread": "the same, each row times 10^u, u uniform on (-3, 3)",
    "opposed": "one normal vector, plus for half of the rows and minus for the others, each with a "
    "normal vector a tenth as long added",
}
SAME = 1e-6  # of their length: two answers that are nearer to each other are one


class Case(NamedTuple):
    """Our answer and a peer's to the same question."""

    turn: float  # 1 - cosine of the two
    stretch: float  # |ratio of lengths - 1|
    apart: float  # how far from each other, in parts of their mean length
    residuals: tuple[float, float] = (np.nan, np.nan)  # of the condition: ours, theirs
    least: tuple[float, float] = (np.nan, np.nan)  # cosine with a task's gradient: ours, theirs


class Row(NamedTuple):
    """All cases of a method, a peer and a family."""

    peer: str
    method: str
    family: str
    n_asked: int
    cases: list[Case]

    def column(self, name: str) -> np.ndarray:
        return np.array([getattr(case, name) for case in self.cases])


def range_of(values: np.ndarray) -> str:
    """Returns the median and the worst of some numbers."""
    if not len(values) or np.isnan(values).any():
        return "-"
    return f"{np.median(values):.0e}, {np.max(values):.0e}"


def verdict(row: Row) -> list[str]:
    """Returns in how many cases two answers differ, and whose are nearer to the condition."""
    differs = row.column("apart") > SAME
    if not differs.any():
        return ["0", "both"]
    ours, theirs = row.column("residuals")[differs].T
    whose = "ours" if (ours < theirs).all() else "theirs" if (theirs < ours).all() else "unclear"
    whose = "another rule" if (row.peer, row.method) in OTHER_RULES else whose
    return [str(differs.sum()), whose]


def line(*cells: Any) -> str:
    """Returns a line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def agreement_lines(table: list[Row]) -> Iterator[str]:
    """Yields the table of agreement."""
    heads = ["method", "peer", "rows", "compared", "1 - cosine", "length"]
    yield line(*heads, "residual, ours", "residual, theirs", "differ", "right")
    yield line(*["---"] * 4, *["---:"] * 5, "---")
    for row in table:
        measures = [row.column("turn"), row.column("stretch"), *row.column("residuals").T]
        n_compared = f"{len(row.cases)} of {row.n_asked}"
        cells = [range_of(each) for each in measures]
        yield line(row.method, row.peer, row.family, n_compared, *cells, *verdict(row))


def conflict_lines(table: list[Row]) -> Iterator[str]:
    """Yields the least cosines with a task's gradient, of methods that promise none below zero."""
    yield line("method", "peer", "rows", "ours", "theirs")
    yield line("---", "---", "---", "---:", "---:")
    for row in table:
        if row.cases and Claim.NON_CONFLICTING in method_of(row.method).claims:
            least = np.nanmin(row.column("least"), axis=0)
            yield line(row.method, row.peer, row.family, *(f"{each:.0e}" for each in least))


def lonely_lines(asked: dict[str, np.ndarray], table: list[Row]) -> Iterator[str]:
    """Yields our residuals for the methods that no peer has."""
    yield line("method", "rows", "residual, ours")
    yield line("---", "---", "---:")
    for stem in sorted(set(CONDITIONS) - {row.method for row in table}):
        for family in FAMILIES:
            cases = [rows for k in N_TASKS for rows in asked[f"rows/{family}/{k}"]]
            weights = [weights_of(method_of(stem), rows) for rows in cases]
            pairs = zip(cases, weights, strict=True)
            misses = [CONDITIONS[stem](rows, w @ rows, in_turn(len(rows))) for rows, w in pairs]
            yield line(stem, family, range_of(np.array(misses)))


def number_lines() -> Iterator[str]:
    """Yields the table of published numbers."""
    yield line("method", "number", "from", "expected", "ours", "difference")
    yield line("---", "---", "---", "---", "---", "---:")
    for number in (*hand_numbers(), *published_numbers(), *identities()):
        difference = np.max(np.abs(np.subtract(number.expected, number.found)))
        values = (shown(number.expected), shown(number.found), f"{difference:.0e}")
        yield line(number.method, number.case, number.source, *values)


def summary(table: list[Row]) -> str:
    """Returns what the table of agreement comes to."""
    verdicts = [verdict(row)[1] for row in table]
    worst = max(row.column("residuals")[:, 0].max() for row in table if row.method in CONDITIONS)
    return (
        f"Of {len(table)} comparisons, {verdicts.count('both')} find one answer in all cases, "
        f"and in {verdicts.count('another rule')} the peer has another rule. In the others answers "
        f"differ, and nearer to the method's own condition are ours in {verdicts.count('ours')} "
        f"comparisons, theirs in {verdicts.count('theirs')}, and now the one, now the other in "
        f"{verdicts.count('unclear')}. Our largest residual is {worst:.0e}."
    )


def head_lines(table: list[Row], notes: dict[str, Any], n_each: int) -> Iterator[str]:
    """Yields what was compared with what, and what came out."""
    here = {name: importlib.metadata.version(name) for name in ("keras", "tensorflow", "numpy")}
    versions = {"Ours": {"Python": platform.python_version(), **here}, "Theirs": notes["versions"]}
    yield from (*TEXTS["head"].splitlines(), "", summary(table), "")
    for whose, each in versions.items():
        yield f"- {whose}: " + ", ".join(f"{name} {version}" for name, version in each.items())
    yield f"- Jacobians in float64, for K in {shown(N_TASKS)}, P = {N_PARAMETERS}, {n_each} each:"
    yield from (f"    - {name}: {what}" for name, what in FAMILIES.items())


def note_lines(refusals: list[list[Any]]) -> Iterator[str]:
    """Yields what the conditions and the conventions are, and who did not answer."""
    yield from ("### The conditions", "")
    yield from (f"- `{stem}`: {inspect.getdoc(each)}" for stem, each in CONDITIONS.items())
    yield from ("", "### What differs by convention", "")
    yield from (f"- `{stem}`: {inspect.getdoc(each)}" for stem, each in CONVENTIONS.items())
    yield from TEXTS["conventions"].strip().splitlines()
    yield from ("", "### Peers that did not answer", "")
    counts: Counter[str] = Counter()
    for peer, stem, _, text, n in refusals:
        counts[f"{peer}, `{stem}`: `{text}`"] += n
    yield from (f"- {what}, {n} times" for what, n in counts.items())


def report(asked: dict[str, np.ndarray], table: list[Row], notes: dict[str, Any]) -> str:
    """Returns the result as Markdown."""
    n_each = len(asked[f"rows/equal/{N_TASKS[0]}"])
    sections = (
        head_lines(table, notes, n_each),
        [*TEXTS["agreement"].splitlines(), "", *agreement_lines(table)],
        note_lines(notes["refusals"]),
        [*TEXTS["conflicts"].splitlines(), "", *conflict_lines(table)],
        ["## Methods that no peer has", "", *lonely_lines(asked, table)],
        [*TEXTS["numbers"].splitlines(), "", *number_lines()],
    )
    return "\n\n".join("\n".join(each) for each in sections) + "\n"


TEXTS = {
    "head": """# Agreement with other packages and with published numbers

Written by `python benchmarks/agreement.py --peer PYTHON`; see [README.md](README.md).""",
    "agreement": """## Directions on random Jacobians

`1 - cosine` and `length` (the ratio of the two lengths, minus 1) compare the weighted gradients; a
`residual` says by how much one misses the method's own condition, which stands below. Of each the
median and the worst are given. `differ` counts the cases in which the two are further apart than
1e-6 of their length, and `right` says whose are nearer to the condition in all of those. `inf` is
the residual of a step of zero. TorchJD is as it comes; "TorchJD, finer" has smaller constants
(1e-12 in place of 1e-4, or 0) and more steps (2,000 in place of 100). Rows "any" are losses of four
epochs, drawn as e^normal, and the weights of the last are compared.""",
    "conventions": """
- Both sides have the same knobs: `c` = 0.5 and no rescaling (CAGrad), `alpha` = 2 (FairGrad),
  `beta` = 0.5 (GradVac; the second of two steps on the same rows), no clipping (Nash-MTL), `tau` =
  0.02 (PCD). PCGrad and GradVac visit the tasks in the same order on both sides.
- LibMTL's GradVac moves a target only where it corrects, which is another rule from the second step
  on. Its PCGrad also projects a gradient off itself, which counts where earlier projections have
  turned it round.
- LibMTL is the release on PyPI, whose CAGrad is written for three tasks and no other number.
""",
    "conflicts": """## Conflicts

The least cosine of the weighted gradient with a task's gradient, over all cases, for the methods
that promise none below zero.""",
    "numbers": """## Published numbers

Numbers from others have the digits that are printed there. TorchJD's for `dual_proj` and `upgrad`
are of a problem with 1e-4 added to the diagonal, which is what the difference is. There is no row
for SoftAdapt: the numbers of its authors are of differences of losses, and ours are ratios; nor for
numbers that a training found, such as the noise in Kendall's notebook.""",
}
