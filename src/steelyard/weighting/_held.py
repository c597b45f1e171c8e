"""What a weighting that holds another one passes on, and how their memories lie side by side."""

from steelyard.arrays import Named
from steelyard.weighting.base import Claim, Weighting

NEEDS = (
    "loss_weights",
    "moves",
    "needs_gramian",
    "needs_draws",
    "needs_losses_after",
    "needs_coordinates",
)
LEAD = "held_"  # of a held memory's name: the holder's own begin otherwise


def take_after(holder: Weighting, method: Weighting) -> None:
    """Gives a holder what its method asks for, and those of its own claims that the method makes.

    Raises:
        ValueError: The method is no weighting.
    """
    if not isinstance(method, Weighting):
        raise ValueError(f"`method` must be a weighting, got {method!r}.")
    claims = type(holder).claims & method.claims
    if Claim.SCALE_FREE in claims:
        claims |= {Claim.SCALE_FREE_DIRECTION}
    facts = {
        **{name: getattr(method, name) for name in NEEDS},
        "keeps": tuple(f"{LEAD}{name}" for name in method.keeps),
        "learns": frozenset(f"{LEAD}{name}" for name in method.learns),
        "claims": claims,
    }
    for name, value in facts.items():
        object.__setattr__(holder, name, value)  # a frozen holder's facts; its fields stay


def laid_by(memory: Named) -> Named:
    """Returns a method's memory as its holder keeps it."""
    return {f"{LEAD}{name}": value for name, value in memory.items()}


def laid_out(memory: Named) -> Named:
    """Returns a method's memory, out of its holder's."""
    held = {name: value for name, value in memory.items() if name.startswith(LEAD)}
    return {name.removeprefix(LEAD): value for name, value in held.items()}
