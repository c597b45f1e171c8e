"""The tables of methods: every cell comes from the method itself."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from steelyard.cli.methods import cost, departure, promises, table
from steelyard.weighting.base import Claim, Weighting
from steelyard.weighting.edm import EDM
from steelyard.weighting.excess_mtl import ExcessMTL
from steelyard.weighting.famo import FAMO
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.nash_mtl import NashMTL
from steelyard.weighting.smoothed import Smoothed


@dataclass(frozen=True, kw_only=True)
class Told(Weighting):
    """Tells of itself.

    Departs from the paper: an eigenvector (Smith et al. 2020
    has none) is |v|; the tasks' loss weights multiply; alpha is 0.5. And so on; it goes on.

    Attributes:
        None.
    """

    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.CONVEX, Claim.SUMS_TO_ONE})


def test_a_departure_is_one_sentence_without_what_has_a_column() -> None:
    expected = "an eigenvector (Smith et al. 2020 has none) is |v|; alpha is 0.5"
    assert departure(Told) == expected
    assert departure(Fixed) == "none"


def test_a_promise_that_follows_from_another_is_not_told() -> None:
    assert promises(Told) == "convex"
    assert promises(NashMTL) == "any order, scale-free, non-conflicting"
    assert promises(EDM) == "convex, any order, scale-free direction, non-conflicting"
    assert promises(Smoothed).startswith("of its method's: convex,")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Fixed, "one"),
        (NashMTL, "one a head"),
        (ExcessMTL, "one a head"),
        (FAMO, "one, and one more forward"),
        (Smoothed, "its method's"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_cost_is_counted_in_passes(kind: type[Weighting], expected: str) -> None:
    assert cost(kind) == expected


def test_no_cell_breaks_its_row() -> None:
    rows = [line for line in table().splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in rows} == {8, 3}
