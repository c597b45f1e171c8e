"""How numbers, names and epochs are put into a sentence."""

import re
from collections.abc import Sequence

N_NAMED = 4  # names in a sentence; more are counted
SURE = 0.9999  # a share beyond it is told as such
THOUSAND = 1000
NEARLY = 0.01


def percent(share: float) -> str:
    """Returns a share as `97 %`, with more digits near none and near all."""
    if SURE < share < 1:
        return f"over {SURE:.2%}".replace("%", " %")
    if share > 1 - 1 / THOUSAND or share == 0:
        digits = 2 if 0 < share < 1 else 0
        return f"{share:.{digits}%}".replace("%", " %")
    if share >= 0.0995:  # noqa: PLR2004  what three digits round to a tenth
        digits = 1 if share > 0.985 else 0  # noqa: PLR2004  98.7 % is not 99 %
        return f"{share:.{digits}%}".replace("%", " %")
    return f"{plain(100 * share, 2)} %"


def plain(value: float, n_digits: int = 3) -> str:
    """Returns a number of so many digits: 0.693, 1,800 or 3.14e7."""
    rounded = float(f"{value:.{n_digits}g}") + 0.0  # no -0
    if 1 <= abs(rounded) < THOUSAND**2:
        return f"{rounded:,.6g}"
    return re.sub(r"e([+-])0*", lambda found: f"e{found[1].strip('+')}", f"{rounded:.{n_digits}g}")


def ratio(value: float) -> str:
    """Returns a loss over another, with more digits where they are nearly equal."""
    return f"{value:.4f}" if abs(value - 1) < NEARLY else plain(value)


def listed(names: Sequence[str]) -> str:
    """Returns names as `a, b and c`; of many the first few, and how many more."""
    if len(names) > N_NAMED + 1:
        return f"{', '.join(names[:N_NAMED])} and {len(names) - N_NAMED} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def spans(epochs: Sequence[int], n_epochs: int) -> str:
    """Returns epochs in order as `all 12 epochs`, or as `epochs 1 to 3 and 7 of 12`."""
    if len(epochs) == n_epochs > 1:
        return f"all {n_epochs} epochs"
    runs: list[list[int]] = []
    for epoch in epochs:
        if runs and epoch == runs[-1][-1] + 1:
            runs[-1].append(epoch)
        else:
            runs.append([epoch])
    if len(runs) > N_NAMED - 1:
        return f"{len(epochs)} of {n_epochs} epochs"
    told = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    noun = "epochs" if len(epochs) > 1 else "epoch"
    return f"{noun} {listed(told)} of {n_epochs}"
