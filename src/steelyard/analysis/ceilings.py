"""Results against the truth, where data are made up and the best that can be expected is known."""

from dataclasses import dataclass

from steelyard.analysis.evidence import Estimate, estimate
from steelyard.analysis.study import Study


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """How far a setting stays below what one network can reach on all heads at once.

    Attributes:
        setting: Its name.
        is_method: Whether its weights move.
        by_head: The best expected value of each head's main measure less that on the test.
    """

    setting: str
    is_method: bool
    by_head: dict[str, Estimate]

    @property
    def worst(self) -> str:
        """The head that stays farthest below."""
        return max(self.by_head, key=lambda head: self.by_head[head].mean)

    @property
    def largest(self) -> Estimate:
        """The gap of that head."""
        return self.by_head[self.worst]


def gaps_to_ceilings(study: Study) -> list[Gaps]:
    """Returns every joint setting's gaps, the nearest first; none where ceilings are not known."""
    known = {head: study.ceiling(head) for head in study.heads}
    ceilings = {head: value for head, value in known.items() if value is not None}
    if not ceilings:
        return []
    found = []
    for setting in study.joint:
        by_head = {
            head: estimate([most - value for value in _headline(study, setting, head)])
            for head, most in ceilings.items()
        }
        if all(gap.n for gap in by_head.values()):
            found.append(Gaps(setting=setting, is_method=study.is_method(setting), by_head=by_head))
    return sorted(found, key=lambda each: each.largest.mean)


def _headline(study: Study, setting: str, head: str) -> list[float]:
    return study.values(setting, f"test/{head}/{study.headline(head)}")
