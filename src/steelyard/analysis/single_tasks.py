"""Every setting of all heads against a network for each head: which loses to none of them."""

import math
from dataclasses import dataclass

from steelyard.analysis.entrants import SPLIT, Entrants
from steelyard.analysis.evidence import Estimate, paired
from steelyard.analysis.shortfall import Shortfall
from steelyard.analysis.study import Study

PERCENT = 100.0


@dataclass(frozen=True, kw_only=True)
class SingleTasks:
    """What a study says of one network in place of one for each head.

    Attributes:
        settings: Each joint setting of which a run finished, those first that miss least.
    """

    settings: list[Shortfall]

    @property
    def winners(self) -> list[str]:
        """The settings that lose to no head alone, by their means."""
        return [each.setting for each in self.settings if each.loses_to_none]

    @property
    def not_clearly_worse(self) -> list[str]:
        """The settings that do, but on no head by more than its interval."""
        return [
            each.setting
            for each in self.settings
            if not each.loses_to_none and not each.losers and not math.isnan(each.largest.half)
        ]

    @property
    def nearest(self) -> list[Shortfall]:
        """The fixed setting that misses least, and the method, where there are any."""
        kinds = (False, True)
        found = [[each for each in self.settings if each.is_method == kind] for kind in kinds]
        return [each[0] for each in found if each]


def against_single_tasks(study: Study) -> SingleTasks | None:
    """Returns every setting against the heads alone; None where that is not known."""
    entrants = Entrants(study=study)
    if len(study.heads) == 1 or entrants.why_unknown or not study.has_references:
        return None
    found = [
        Shortfall(
            setting=name,
            is_method=name in entrants.methods,
            by_head={head: _change(study, name, head) for head in study.heads},
        )
        for name in entrants.settings
        if len(entrants.points(name))
    ]
    known = [each for each in found if all(change.n for change in each.by_head.values())]
    known.sort(key=lambda each: each.largest.mean)
    return SingleTasks(settings=known) if known else None


def _change(study: Study, setting: str, head: str) -> Estimate:
    """Returns the test loss less that of the head alone, in % of the latter, paired by seed."""
    single, name = study.alone(head), f"{SPLIT}/{head}/loss"
    assert single is not None, head
    scale = PERCENT / study.reference(head, SPLIT)
    found = paired(study.values(setting, name), study.values(single, name))
    return Estimate(found.mean * scale, found.half * scale, found.n)
