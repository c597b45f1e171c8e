"""Results against the truth, where data are made up and the best that can be expected is known."""

from steelyard.analysis.evidence import estimate
from steelyard.analysis.shortfall import Shortfall
from steelyard.analysis.study import Study


def gaps_to_ceilings(study: Study) -> list[Shortfall]:
    """Returns how far each joint setting stays below its heads' ceilings, the nearest first.

    That is the best expected value of a head's main measure less that on the test. It is empty
    where ceilings are not known.
    """
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
            is_method = study.is_method(setting)
            found.append(Shortfall(setting=setting, is_method=is_method, by_head=by_head))
    return sorted(found, key=lambda each: each.largest.mean)


def _headline(study: Study, setting: str, head: str) -> list[float]:
    return study.values(setting, f"test/{head}/{study.headline(head)}")
