"""A run's learning curves, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.0, 3.0  # inches a panel


def draw(history: Sequence[Mapping[str, float]], heads: Sequence[str], path: Path) -> None:
    """Draws each head's loss on train and validation, and its weight, against the epoch."""
    epochs = [row["epoch"] + 1 for row in history]
    figure = Figure(figsize=(WIDTH * len(heads), 2 * HEIGHT))
    panels = figure.subplots(2, len(heads), sharex=True, squeeze=False)
    width = WIDTH * len(heads)  # margins in inches: finding them out takes as long as the drawing
    figure.subplots_adjust(
        left=0.7 / width, right=1 - 0.15 / width, bottom=0.09, top=0.93, wspace=0.25, hspace=0.12
    )
    for above, below, head in zip(*panels, heads, strict=True):
        for split, colour in (("train", "#0072b2"), ("valid", "#d55e00")):
            values = [row.get(f"{split}/{head}/loss", float("nan")) for row in history]
            above.plot(epochs, values, color=colour, marker=".", label=split)
        above.set_title(head)
        above.set_ylabel("loss")
        above.legend(frameon=False)
        weights = [row.get(f"train/{head}/weight", float("nan")) for row in history]
        below.plot(epochs, weights, color="#009e73", marker=".")
        below.set_ylabel("weight")
        below.set_xlabel("epoch")
    figure.savefig(path, dpi=80, metadata={"Software": None})
