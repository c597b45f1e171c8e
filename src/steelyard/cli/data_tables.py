"""What `steelyard data` prints: kinds of columns, sizes of losses, and what training takes."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from steelyard.data.draft import Draft
from steelyard.data.effort import Effort
from steelyard.data.labels import About, labels, scale, shares
from steelyard.data.table import Table as TableSource


def tell_columns(found: Draft, n_rows: int) -> None:
    """Prints what each column seems to be."""
    heads = {column: head for head in found.heads for column in head.columns}
    table = _table("column", "seems to be", "because", "missing")
    for each in found.guesses:
        head = heads.get(each.column)
        kind = f"head: {head.kind}" if head else each.kind
        why = head.why if head else each.why
        missing = f"{each.missing:.1%}" if each.missing else ""
        table.add_row(*map(escape, (each.column, kind, why, missing)))
    out = _console()
    out.print(f"{n_rows:,} rows, {len(found.guesses)} columns.")
    out.print(table)
    out.print(f"Split: {found.split}.", markup=False)


def tell_heads(found: Draft, source: TableSource) -> None:
    """Prints how large the loss of each head is on its own scale, and what that does to a sum."""
    read = labels(source)
    scales = [scale(task, targets, is_raw=True) for task, targets in read.values()]
    table = _table("head", "kind", "loss of zeros", "best constant", "share", "standardized")
    for head, each, share in zip(found.heads, scales, shares(scales), strict=True):
        trained = scale(*read[head.name])
        again = f"{trained.zero:.3g}" if head.kind == "regression" else ""
        cells = f"{each.zero:.4g}", f"{each.constant:.4g}", f"{share:.1%}", again
        table.add_row(escape(head.name), head.kind, *cells)
    out = _console()
    how = "These heads are a guess" if found.is_guess else "These are the heads"
    out.print(f"\n{how}; --heads a,b,c takes others. On their own scale, in train:")
    out.print(table)
    if len(scales) > 1:
        out.print("Share: of a sum at equal weights, before the first step, if not standardized.")


def tell_labels(found: Sequence[About]) -> None:
    """Prints what the labels of each head are like."""
    names = ("head", "kind", "labelled", "majority", "loss of zeros", "best constant", "share")
    table = _table(*names)
    for each in found:
        majority = " / ".join(f"{share:.0%}" for share in each.majority.values())
        losses = f"{each.scale.zero:.4g}", f"{each.scale.constant:.4g}"
        cells = f"{each.labelled:.1%}", majority, *losses, f"{each.share:.1%}"
        table.add_row(escape(each.task.name), each.task.kind, *cells)
    out = _console()
    out.print(table)
    out.print("Majority: the share of train's most frequent class in train, valid and test.")
    out.print("Share: of a sum at equal weights, before the first step.")


def tell_effort(cost: Effort) -> None:
    """Prints what it takes to train."""
    rows = ", ".join(f"{split} {n:,}" for split, n in cost.n_rows.items())
    seconds = max(1, round(cost.seconds))
    print(f"\nRows: {rows}. In memory: {cost.n_bytes / 1e6:,.0f} MB.")
    print(f"An epoch of model=auto takes very roughly {seconds:,} s on two cores.\n")


def _table(*names: str) -> Table:
    table = Table(box=None, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)
