"""`hydra/sweeper=pareto`: a search for the loss weights that no others beat on every head."""

from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from hydra_plugins.steelyard.arms import ArmsConfig

KNOBS = ("n_trials", "batch_size", "objectives", "decades", "learning_rate", "seed")


class ParetoSweeper(BasicSweeper):
    """Proposes settings, has the launcher train them, and goes on by what their records say.

    The runs are ordinary runs. Nothing else is kept: the same command goes through the search
    again, finds the records of the runs that have ended, and trains from the first that has not.
    A run that failed is tried again, as in every sweep; should it end well this time, the search
    goes on from there in another way.

    Attributes:
        params: Keys and what they are in every run; of these `seed` alone may have several values,
            and a setting's objectives are then the means over its seeds.
        knobs: Of `steelyard.sweep.search.Search`.
        halving: Refused, for a search has no rounds.
    """

    def __init__(self, **node: Any) -> None:
        super().__init__(node["max_batch_size"], node["params"] or {})
        known: Any = OmegaConf.to_container(OmegaConf.create({name: node[name] for name in KNOBS}))
        self.knobs = known
        self.halving = node["halving"]

    def sweep(self, arguments: list[str]) -> Any:
        """Searches, and prints what was found."""
        from hydra_plugins.steelyard._hunt import Hunt  # noqa: PLC0415  for those who search

        return Hunt(self, arguments).carry_out()


@dataclass
class ParetoConfig(ArmsConfig):
    """What Hydra composes for the sweeper; a study's `arms` and `points` are not carried out."""

    _target_: str = "hydra_plugins.steelyard.pareto.ParetoSweeper"
    n_trials: Any = 40  # its type is checked by the search, whose message says more
    batch_size: Any = 4
    objectives: Any = None
    decades: Any = 6.0
    learning_rate: Any = None
    seed: Any = 0


ConfigStore.instance().store(
    group="hydra/sweeper", name="pareto", node=ParetoConfig, provider="steelyard"
)
