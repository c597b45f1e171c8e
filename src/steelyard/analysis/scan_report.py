"""The answer of a scan in words and tables, beside its picture and its points."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from steelyard.analysis.evidence import Estimate
from steelyard.analysis.phrases import number
from steelyard.analysis.scan import LEAST, NONE, TIMES, Move, Scan
from steelyard.analysis.scan_figure import CARES, LOWEST, draw
from steelyard.analysis.tables import write_csv

POINTS, PAGE, FIGURE = "scan.csv", "scan.md", "scan.png"
DOTS_PER_INCH = 130
COLUMNS = (
    "method",
    "head",
    "measure",
    "at factor 1",
    "worst",
    "at",
    "area",
    "over factors",
    "over seeds",
    "ratio",
)


def write(scan: Scan, folder: Path, command: str) -> None:
    """Writes the points, the page and the figure of a scan into a folder.

    Args:
        scan: The scan.
        folder: Where they go; it is made.
        command: That made the runs, for the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / POINTS, scan.points.to_dict("records"))
    part = folder / f"{FIGURE}.part"
    draw(scan).savefig(part, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    part.replace(folder / FIGURE)
    part = folder / f"{PAGE}.part"
    part.write_text(page(scan, command), encoding="utf-8", newline="\n")
    part.replace(folder / PAGE)


def page(scan: Scan, command: str) -> str:
    """Returns the page of a scan, as Markdown."""
    factors = ", ".join(f"{factor:g}" for factor in scan.factors)
    n_seeds = len(scan.seeds)
    seeds = "1 seed" if n_seeds == 1 else f"{n_seeds} seeds"
    lines = [
        "# Which methods care about units?",
        "",
        f"Each loss in turn ({', '.join(scan.scaled)}) was multiplied by {factors}, as a change of "
        f"its unit would, with {seeds}. All numbers are of the test, and free of units.",
        "",
        f"    {command}",
        "",
        *verdicts(scan),
        *(f"\nCannot be said: {why}." for why in map(scan.doubt, scan.methods) if why),
        "",
        f"![{FIGURE}]({FIGURE})",
        "",
        *_caption(scan),
        "",
        "## Head by head",
        "",
        *table(COLUMNS, rows(scan), n_words=3),
        "",
        *_meanings(scan),
        "",
        "## Area under each curve, by the loss that was multiplied",
        "",
        *table(("method", "multiplied", *scan.measures), areas(scan), n_words=2),
    ]
    broken = [
        (each.method, str(each.seed), _place(each.head, each.factor), each.status, each.run_key)
        for each in scan.broken.itertuples()
    ]
    if broken:
        lines += ["", "## Runs that broke off", ""]
        lines += table(("method", "seed", "at", "status", "run"), broken, n_words=5)
    return "\n".join(lines) + "\n"


def verdicts(scan: Scan) -> list[str]:
    """Returns a table of which methods care about units, and by what that is known."""
    found = []
    for method in scan.methods:
        moves = {head: scan.move(method, head) for head in scan.measures}
        head = max(moves, key=lambda each: _or_least(moves[each].over_factors))
        most = moves[head]
        cells = (f"**{CARES[scan.cares(method)]}**", head, *_spreads(most))
        found.append((method, *cells, str(scan.n_broken(method))))
    names = ("method", "units", "most moved", "over factors", "over seeds", "ratio", "broke off")
    return table(names, found, n_words=3)


def rows(scan: Scan) -> list[tuple[str, ...]]:
    """Returns a row a method and head, for the columns of `COLUMNS`."""
    found: list[tuple[str, ...]] = []
    for method in scan.methods:
        for head, measure in scan.measures.items():
            move = scan.move(method, head)
            worst = number(move.worst) if not isnan(move.worst) else _why(scan, method, move)
            cells = (_told(move.at_one), worst, _place(*move.worst_at), number(move.area))
            found.append((method, head, measure, *cells, *_spreads(move)))
    return found


def areas(scan: Scan) -> list[tuple[str, ...]]:
    """Returns a row a method and multiplied loss: the area under the curve of each head."""
    return [
        (method, each, *(number(scan.area(method, each, head)) for head in scan.measures))
        for method in scan.methods
        for each in scan.scaled
    ]


def table(names: Sequence[str], found: Sequence[Sequence[str]], n_words: int) -> list[str]:
    """Returns the lines of a Markdown table, of which the first columns hold words."""
    rule = ["---" if n < n_words else "---:" for n in range(len(names))]
    return [f"| {' | '.join(cells)} |" for cells in (names, rule, *found)]


def _caption(scan: Scan) -> list[str]:
    band = ", in the band of their range" if len(scan.seeds) > 1 else ""
    lowest = ", ".join(f"{value:g} ({measure})" for measure, value in LOWEST.items())
    return [
        f"A line is a method: the mean over the seeds{band}. A cross is a run that failed or "
        f"diverged; a filled triangle is a value below {lowest}. A grey line is what the best "
        "constant gets, where that is known beforehand."
    ]


def _meanings(scan: Scan) -> list[str]:
    against = f"more than {TIMES:g} times the spread over seeds, and more than {LEAST:g}"
    if len(scan.seeds) == 1:
        against = f"more than {LEAST:g} (one seed tells no spread over seeds: give --seeds 0,1)"
    return [
        "- worst: the least mean over the seeds at any point, and at which.",
        "- area: the mean height of the curve over the decades of the factor, by the trapezoid "
        "rule; the mean over the losses that were multiplied.",
        "- over factors: the standard deviation over all points, factor 1 among them, seed by "
        "seed. Over seeds: the standard deviation over the seeds, at the median point.",
        "- ratio: the first over the second; near 1 where units do no more than chance does.",
        f"- A method cares about units where the spread over factors of a head is {against}; or "
        "where a factor makes a run diverge.",
        "- Methods that take gradients leave a head's private layers to its own loss, unless "
        "`balance.heads=weighted`: there plain gradient descent feels a unit whatever the method, "
        "and Adam where a small factor brings gradients near its epsilon.",
    ]


def _told(value: Estimate) -> str:
    return number(value.mean) if isnan(value.half) else f"{number(value.mean)} ± {value.half:.2g}"


def _place(head: str, factor: float) -> str:
    return "-" if head == NONE else f"{head} x {factor:g}"


def _why(scan: Scan, method: str, move: Move) -> str:
    """Returns what became of the runs at a point whose measure is not known."""
    head, factor = move.worst_at
    rows = scan.broken[(scan.broken["method"] == method) & (scan.broken["head"] == head)]
    statuses = rows.loc[rows["factor"] == factor, "status"]
    return " ".join(dict.fromkeys(statuses)) or "-"


def _spreads(move: Move) -> tuple[str, str, str]:
    """Returns the spread over factors, that over seeds, and the first over the second."""
    told = [f"{each:.2g}" for each in (move.over_factors, move.over_seeds)]
    first, second = ("-" if each == "nan" else each for each in told)
    return first, second, "-" if isnan(move.ratio) else f"{move.ratio:.1f}"


def _or_least(value: float) -> float:
    return -1.0 if isnan(value) else value
