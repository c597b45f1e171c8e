"""A run's learning curves, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.0, 3.0  # inches a panel
N_TICKS = 4  # drawing them is what takes the time


def draw(history: Sequence[Mapping[str, float]], heads: Sequence[str], path: Path) -> None:
    """Draws each head's loss on train and validation by epoch, and its weight if it moves."""
    epochs = [row["epoch"] + 1 for row in history]
    weights = {head: _values(history, f"train/{head}/weight") for head in heads}
    n_rows = 2 if any(len(set(each)) > 1 for each in weights.values()) else 1
    width, height = WIDTH * len(heads), HEIGHT * n_rows
    figure = Figure(figsize=(width, height))
    panels = figure.subplots(n_rows, len(heads), sharex=True, squeeze=False)
    # Margins in inches: to have them found out takes as long as the drawing.
    figure.subplots_adjust(
        left=0.7 / width,
        right=1 - 0.15 / width,
        bottom=0.5 / height,
        top=1 - 0.35 / height,
        wspace=0.25,
        hspace=0.12,
    )
    for column, head in zip(panels.T, heads, strict=True):
        for split, colour in (("train", "#0072b2"), ("valid", "#d55e00")):
            values = _values(history, f"{split}/{head}/loss")
            column[0].plot(epochs, values, color=colour, marker=".", label=split)
        column[0].set_title(head)
        column[0].set_ylabel("loss")
        column[0].legend(frameon=False)
        if n_rows > 1:
            column[1].plot(epochs, weights[head], color="#009e73", marker=".")
            column[1].set_ylabel("weight")
        column[-1].set_xlabel("epoch")
        for panel in column:
            panel.locator_params(nbins=N_TICKS)
    figure.savefig(path, dpi=80, metadata={"Software": None})


def _values(history: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [row.get(name, float("nan")) for row in history]
