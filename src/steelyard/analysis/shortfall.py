"""How far a setting of all heads stays behind something that is known of each head."""

from dataclasses import dataclass

from steelyard.analysis.evidence import Estimate


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """A setting, and by how much each of its heads stays behind; below 0 it is ahead.

    Attributes:
        setting: Its name.
        is_method: Whether its weights move.
        by_head: By head, the mean over seeds and its interval.
    """

    setting: str
    is_method: bool
    by_head: dict[str, Estimate]

    @property
    def worst(self) -> str:
        """The head that stays farthest behind."""
        return max(self.by_head, key=lambda head: self.by_head[head].mean)

    @property
    def largest(self) -> Estimate:
        """By how much that head does."""
        return self.by_head[self.worst]

    @property
    def losers(self) -> list[str]:
        """The heads that stay behind by more than their interval."""
        return [head for head, behind in self.by_head.items() if behind.low > 0]

    @property
    def loses_to_none(self) -> bool:
        """Whether no head is behind, by its mean."""
        return not self.largest.mean > 0
