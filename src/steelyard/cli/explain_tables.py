"""The tables of `steelyard explain`: a row a head."""

from collections.abc import Sequence

from rich.table import Table

from steelyard.analysis.explaining.told import Head
from steelyard.analysis.explaining.wording import percent, plain, ratio

UNKNOWN = "-"
LONGEST = 16  # letters of a name that are kept together


def _table(heads: Sequence[Head], *columns: str) -> Table:
    """Returns a table with a row a head; numbers keep their width, and long names are folded."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    longest = max(len(head.name) for head in heads)
    table.add_column("\nhead", overflow="fold", min_width=min(longest, LONGEST))
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def course(heads: Sequence[Head]) -> Table:
    """Returns what each head began with, what it held, and how far its loss came down."""
    table = _table(
        heads,
        "loss\nat start",
        "share of\nlosses",
        "gradient\nepoch 1",
        "gradient\nmean",
        "\nweight",
        "loss\nfell to",
    )
    for head in heads:
        low, high = min(head.weights, default=0.0), max(head.weights, default=0.0)
        weight = _cell(head.weight) if low == high else f"{plain(low, 2)} to {plain(high, 2)}"
        table.add_row(
            head.name,
            _cell(head.start),
            _share(head.start_share),
            _share(head.shares[0] if head.shares else None),
            _share(head.share),
            weight,
            _share(head.fell_to),
        )
    return table


def outcome(heads: Sequence[Head], n_epochs: int) -> Table:
    """Returns what came of each head in the epoch that was kept, and when it was at its best."""
    table = _table(
        heads,
        "valid /\nconstant",
        "\nserved",
        "\ntest",
        "best\nepoch",
        f"at epoch {n_epochs},\nabove its best",
    )
    for head in heads:
        served = {None: UNKNOWN, True: "yes", False: "no"}[head.is_served]
        test = UNKNOWN if head.test is None else f"{head.measure} {_cell(head.test)}"
        worse = UNKNOWN if head.worse_after is None else f"+{percent(head.worse_after)}"
        table.add_row(
            head.name,
            UNKNOWN if head.kept is None else ratio(head.kept),
            "barely" if served == "no" and (head.kept or 0) < 1 else served,
            test,
            UNKNOWN if head.best_epoch is None else str(head.best_epoch),
            worse + (", overfitted" if head.has_overfitted else ""),
        )
    return table


def _cell(value: float | None) -> str:
    return UNKNOWN if value is None else plain(value)


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else percent(value)
