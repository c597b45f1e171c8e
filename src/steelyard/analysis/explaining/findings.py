"""What is found of a run: why it went as it did, and what would help."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a run went as it did.

    Attributes:
        name: Of the cause: `units`, `weights`, `conflict` ...
        says: One sentence, with the numbers.
        rule: When this cause is named.
        heads: Whom it concerns, the first first.
        numbers: What it rests on.
    """

    name: str
    says: str
    rule: str
    heads: list[str] = field(default_factory=list)
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to try.

    Attributes:
        says: One sentence, with the number it follows from.
        overrides: Of the command that does it; none where no one command does.
        sweep: Of a sweep around it, where there is one.
        loss_weights: By head, where the advice is to set them.
    """

    says: str
    overrides: list[str] = field(default_factory=list)
    sweep: list[str] = field(default_factory=list)
    loss_weights: Mapping[str, float] = field(default_factory=dict)
