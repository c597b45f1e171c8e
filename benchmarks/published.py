"""Numbers that others have published or that can be worked out by hand, and ours."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from asking import method_of, signals_of, weights_after, weights_of

HAND = ((-4.0, 1.0, 1.0), (6.0, 1.0, 1.0))


class Number(NamedTuple):
    """What somebody has published or worked out by hand, and what we find."""

    method: str
    case: str
    source: str
    expected: Any
    found: Any


def hand_numbers() -> Iterator[Number]:
    """Yields weights that can be worked out by hand, for small Jacobians."""
    lengths, cosine = np.sqrt([18, 38]), -22 / np.sqrt(18 * 38)  # of HAND
    lead = np.array([1, 0.02 - cosine])  # of PCD: what makes the other task's gain 0.02
    oblique = ((3.0, 4.0), (12.0, -5.0))  # of lengths 5 and 13, with the inner product 16
    for stem, rows, expected in (
        ("mgda", HAND, (0.6, 0.4)),
        ("mgda", oblique, (153 / 162, 9 / 162)),
        ("pcgrad", HAND, (20 / 9, 30 / 19)),
        ("upgrad", HAND, (10 / 9, 15 / 19)),
        ("dual_proj", HAND, (11 / 18, 1 / 2)),
        ("imtl_g", HAND, 1 / lengths / np.sum(1 / lengths)),
        ("imtl_g", oblique, (13 / 18, 5 / 18)),
        ("nash_mtl", HAND, 1 / (lengths * np.sqrt(1 + cosine))),
        ("nash_mtl", oblique, np.array([1 / 5, 1 / 13]) / np.sqrt(1 + 16 / 65)),
        ("cagrad", HAND, (1 / 2 + np.sqrt(3 / 18) / 2, 1 / 2)),
        (
            "pcd",
            HAND,
            lengths[0] / lengths * lead / np.sqrt(lead @ ((1, cosine), (cosine, 1)) @ lead),
        ),
        ("inverse_norm", oblique, (13 / 9, 5 / 9)),
        ("gradnorm_closed", ((1.0, 0.0), (0.0, 10.0)), (20 / 11, 2 / 11)),
    ):
        found = weights_of(method_of(stem), rows)
        yield Number(stem, f"w for J = {shown(rows)}", "closed form", expected, found)


def published_numbers() -> Iterator[Number]:
    """Yields numbers that others have printed."""
    for stem, expected in (
        ("aligned_mtl", (0.2133, 0.9673, 0.9673)),
        ("cagrad", (0.1835, 1.2041, 1.2041)),
        ("con_fig", (0.1588, 2.0706, 2.0706)),
        ("dual_proj", (0.5563, 1.1109, 1.1109)),
        ("imtl_g", (0.0767, 1.0, 1.0)),
        ("mgda", (0.0, 1.0, 1.0)),
        ("pcgrad", (0.5848, 3.8012, 3.8012)),
        ("upgrad", (0.2929, 1.9004, 1.9004)),
    ):
        d = weights_of(method_of(stem), HAND) @ HAND
        yield Number(stem, f"d of J = {shown(HAND)}", "TorchJD's tests", expected, d)
    d = weights_of(method_of("nash_mtl"), HAND) @ HAND
    case = f"d of J = {shown(HAND)}, clipped to length 1"
    expected = (0.0542, 0.7061, 0.7061)
    yield Number("nash_mtl", case, "TorchJD's tests", expected, d / np.linalg.norm(d))
    steps = ((-1.0,), (100.0,))
    case = "x = 0, the losses abs(x - 1) and 100 abs(x + 1): the gradient unbalanced, balanced"
    found = (np.sum(steps), *(weights_of(method_of("encodec"), steps) @ steps))
    yield Number("encodec", case, "the example in its authors' code", (99.0, 0.0), found)


def identities() -> Iterator[Number]:
    """Yields numbers that follow from a method's equations."""
    weights = weights_of(method_of("nash_mtl"), HAND)
    yield Number(
        "nash_mtl", "the square of abs(d), for K = 2", "identity", 2, np.sum((weights @ HAND) ** 2)
    )
    found = weights_of(method_of("fair_grad", alpha=1.0), HAND)
    yield Number("fair_grad", "alpha = 1 is Nash-MTL", "identity", weights, found)
    twice = weights_of(method_of("upgrad"), HAND) * 2
    yield Number(
        "pcgrad",
        "twice UPGrad, for K = 2",
        "identity",
        twice,
        weights_of(method_of("pcgrad"), HAND),
    )
    losses = np.array([1.0, 10.0, 100.0])
    first = weights_after(method_of("famo"), [signals_of(losses)])
    yield Number(
        "famo", "losses 1, 10, 100: first w", "closed form", np.array([100, 10, 1]) / 111, first
    )
    yield Number("famo", "the sum of w", "identity", 1, np.sum(first))
    for stem, kind, rest in (
        ("uncertainty", "squared", np.log(losses)),
        ("uncertainty", "entropy", np.log(2 * losses)),
        ("imtl_l", "squared", -np.log(losses)),
    ):
        case = f"losses 1, 10, 100 ({kind}): slopes of the objective at s = {shown(rest)}"
        yield Number(stem, case, "fixed point", np.zeros(3), slopes(stem, losses, kind, rest))


def slopes(stem: str, losses: np.ndarray, kind: str, at: np.ndarray) -> np.ndarray:
    """Returns the slopes [K] of what a method's learning makes smaller."""
    method = method_of(stem)
    name = next(iter(method.learns))
    signals = signals_of(losses, kinds=(kind,) * len(losses))
    ahead, behind = (np.asarray(method.lesson(signals, {name: at + h})) for h in (1e-5, -1e-5))
    return (ahead - behind) / 2e-5


def shown(value: Any) -> str:
    """Returns numbers as a reader wants them, in brackets where there are several."""
    if np.ndim(value) == 0:
        return f"{float(value):.6g}"
    return "(" + ", ".join(shown(each) for each in value) + ")"
