"""Successive halving: all settings for few epochs, the best of them for more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.construct import Refused
from steelyard.sweep.knobs import check_whole

HERE = "hydra.sweeper.halving"


@dataclass(frozen=True, kw_only=True)
class Halving:
    """Rounds of a sweep, each of more epochs and of fewer settings than the one before.

    Who goes on is decided by the validation score (`best/score`, less is better), its mean over a
    setting's seeds; a setting of which a run failed or diverged does not. A run of more epochs is
    another run, trained from its start: schedules of the learning rate depend on the number of
    epochs, and a record is of one configuration. So a round costs its own epochs in full, and
    those that win have been trained once for every round. Jamieson and Talwalkar 2016 have the
    idea; there training goes on.

    Attributes:
        epochs: Of each round, growing.
        keep: The share of a round's settings that goes on, rounded up.
    """

    epochs: Sequence[int]
    keep: float = 0.5

    def __post_init__(self) -> None:
        given = self.epochs
        is_list = isinstance(given, Sequence) and not isinstance(given, str)
        if not is_list or len(given) < 2:  # noqa: PLR2004
            raise Refused(f"`{HERE}.epochs` must be a list of two numbers or more, got {given!r}.")
        for each in given:
            check_whole(f"{HERE}.epochs", each, 1)
        if list(given) != sorted(set(given)):
            raise Refused(f"`{HERE}.epochs` must grow from round to round, got {list(given)}.")
        is_number = isinstance(self.keep, int | float) and not isinstance(self.keep, bool)
        if not (is_number and 0 < self.keep < 1):
            raise Refused(f"`{HERE}.keep` must be a share between 0 and 1, got {self.keep!r}.")

    def n_kept(self, n_settings: int) -> int:
        """Returns how many settings of a round go on, if that many are fit to."""
        return max(1, math.ceil(round(n_settings * self.keep, 9)))

    def sizes(self, n_settings: int) -> list[int]:
        """Returns how many settings each round has at most."""
        found = [n_settings]
        for _ in self.epochs[1:]:
            found.append(self.n_kept(found[-1]))
        return found

    def best(self, scores: Sequence[float | None]) -> list[int]:
        """Returns which settings go on, in their order.

        Args:
            scores: Of each setting; None for one that cannot go on.
        """
        fit = [n for n, score in enumerate(scores) if score is not None]
        ranked = sorted(fit, key=lambda n: scores[n] or 0.0)
        return sorted(ranked[: self.n_kept(len(scores))])
