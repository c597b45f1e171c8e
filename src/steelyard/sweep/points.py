"""Loss weights to sweep over, for any number of heads: a lattice, a grid, or points at random."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steelyard.arrays import Array
from steelyard.construct import Refused
from steelyard.sweep.knobs import check_decades, check_head, check_positive, check_whole
from steelyard.sweep.weights import DIGITS, Point, laid, scaled

MOST_POINTS = 10_000
PAIR = 2
SPARE = 6  # doublings of the points that may be drawn to find enough that differ
HERE = "hydra.sweeper.points"


@dataclass(frozen=True, kw_only=True)
class Points(ABC):
    """Loss weights to try, no two of one ratio, each rounded to three digits.

    A factor common to all weights is a matter of the learning rate, so one is free to choose: the
    largest weight is 1. No head is then trained at a higher rate than without weights, at which
    SGD would diverge; were the geometric mean 1, six decades would multiply a head's by up to 1000.

    Attributes:
        center: Where the middle is: `equal`, or a weight for each head (1 for one not named).
        alone: Adds each head by itself, all other weights 0.
        equal: Adds equal weights.
    """

    center: str | Mapping[str, Any] = "equal"
    alone: bool = False
    equal: bool = False

    def __post_init__(self) -> None:
        for name in ("alone", "equal"):
            given = getattr(self, name)
            if not isinstance(given, bool):
                raise ValueError(f"`{HERE}.{name}` must be true or false, got {given!r}.")
        if not isinstance(self.center, Mapping) and self.center != "equal":
            raise ValueError(
                f"`{HERE}.center` must be equal or a weight for each head, got {self.center!r}."
            )

    def of(self, heads: Sequence[str]) -> list[dict[str, float]]:
        """Returns the weights of each point, by head.

        Raises:
            Refused: There is only one head, or a knob does not fit these.
        """
        if len(heads) < PAIR:
            raise Refused(f"`{HERE}` must have two heads or more to weigh, got {', '.join(heads)}.")
        found: dict[Point, None] = {}
        if self.equal:
            found[(1.0,) * len(heads)] = None
        found |= dict.fromkeys(self.picked(heads, self._center_of(heads)))
        if self.alone:
            for k in range(len(heads)):
                found[tuple(float(j == k) for j in range(len(heads)))] = None
        return [dict(zip(heads, point, strict=True)) for point in found]

    @abstractmethod
    def picked(self, heads: Sequence[str], center: Array) -> Iterable[Point]:
        """Returns the points around a center [K]."""

    def _center_of(self, heads: Sequence[str]) -> Array:
        """Returns the weights [K] of the center."""
        given = self.center if isinstance(self.center, Mapping) else {}
        for head, weight in given.items():
            if head == "rule" and weight == "equal":
                continue
            check_head(f"{HERE}.center", head, heads)
            check_positive(f"{HERE}.center.{head}", weight)
        return np.array([float(given.get(head, 1)) for head in heads])


@dataclass(frozen=True, kw_only=True)
class Simplex(Points):
    """Points spread evenly over the logarithms of the weights' ratios.

    Two heads: ratios evenly spaced in log, over `decades` about the center's. More: the points of
    Sobol's sequence (unscrambled, Joe and Kuo 2008), of which the first is the center and a larger
    `n_points` keeps the smaller one's, laid over all ratios of which no two heads' is farther than
    half of `decades` from the center's.

    Attributes:
        n_points: How many, beside `alone` and `equal`.
        decades: Factors of ten between the least and the largest ratio of two heads.
    """

    n_points: int = 15
    decades: float = 6.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(f"{HERE}.n_points", self.n_points, 1, MOST_POINTS)
        check_decades(f"{HERE}.decades", self.decades)

    def picked(self, heads: Sequence[str], center: Array) -> Iterable[Point]:
        return _first(self.n_points, self._drawn(len(heads)), center)

    def _drawn(self, n_heads: int) -> Iterator[Array]:
        if n_heads == PAIR:
            half = self.decades / 2 if self.n_points > 1 else 0.0
            for exponent in np.linspace(-half, half, self.n_points):
                yield 10.0 ** np.array([exponent, 0.0])
            return
        from scipy.stats import qmc  # noqa: PLC0415  a second, for those who sweep so

        n_doublings = math.ceil(math.log2(self.n_points)) + SPARE
        shares = qmc.Sobol(n_heads, scramble=False).random_base2(n_doublings)
        yield from (laid(each, self.decades) for each in shares)


@dataclass(frozen=True, kw_only=True)
class Random(Points):
    """Points drawn at random, evenly over the logarithms of the weights' ratios.

    Attributes:
        n_points: How many, beside `alone` and `equal`; more keep the fewer's.
        decades: Factors of ten between the least and the largest ratio of two heads.
        seed: Draws them; a run's own seed is another.
    """

    n_points: int = 15
    decades: float = 6.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(f"{HERE}.n_points", self.n_points, 1, MOST_POINTS)
        check_whole(f"{HERE}.seed", self.seed, 0)
        check_decades(f"{HERE}.decades", self.decades)

    def picked(self, heads: Sequence[str], center: Array) -> Iterable[Point]:
        generator = np.random.default_rng(self.seed)
        shares = (generator.random(len(heads)) for _ in range(self.n_points << SPARE))
        return _first(self.n_points, (laid(each, self.decades) for each in shares), center)


@dataclass(frozen=True, kw_only=True)
class Grid(Points):
    """Every combination of factors of the heads' weights, each ratio once.

    Attributes:
        factors: For every head alike, or by head (1 for one not named).
    """

    factors: Sequence[float] | Mapping[str, Sequence[float]] = (0.01, 0.1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, factors in self._by_name().items():
            if isinstance(factors, str) or not isinstance(factors, Sequence) or not factors:
                raise ValueError(f"`{name}` must be a list of factors, got {factors!r}.")
            for factor in factors:
                check_positive(name, factor)

    def picked(self, heads: Sequence[str], center: Array) -> Iterable[Point]:
        given = self.factors
        if not isinstance(given, Mapping):
            given = dict.fromkeys(heads, given)
        for head in given:
            check_head(f"{HERE}.factors", head, heads)
        lists = [given.get(head, (1.0,)) for head in heads]
        n_points = math.prod(map(len, lists))
        if n_points > MOST_POINTS:
            raise Refused(
                f"`{HERE}.factors` must make at most {MOST_POINTS} combinations, got {n_points}."
            )
        return [scaled(center * np.array(each, float)) for each in itertools.product(*lists)]

    def _by_name(self) -> dict[str, Any]:
        if isinstance(self.factors, Mapping):
            return {f"{HERE}.factors.{head}": each for head, each in self.factors.items()}
        return {f"{HERE}.factors": self.factors}


def _first(n_points: int, drawn: Iterable[Array], center: Array) -> list[Point]:
    """Returns the first points that differ, as many as are asked for."""
    found: dict[Point, None] = {}
    for factors in drawn:
        found[scaled(center * factors)] = None
        if len(found) == n_points:
            return list(found)
    raise Refused(
        f"`{HERE}.decades` must leave room for {n_points} points that differ in {DIGITS} digits, "
        f"got room for {len(found)}."
    )
