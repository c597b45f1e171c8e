"""`hydra/launcher=population`: the runs of a sweep beside each other in one process."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from hydra_plugins.steelyard.elsewhere import Elsewhere, check_counts


class PopulationLauncher(Elsewhere):
    """Trains the runs that share their data in one process, on what one of them had traced.

    Attributes:
        n_together: Places where runs train at the same time, each with one run, or with a stack of
            small ones; 0 for as many as there are cores.
        memory_gib: What they may take together; 0 for most of what is free.
    """

    def __init__(self, n_together: int, memory_gib: float) -> None:
        self.n_together = n_together
        self.memory_gib = memory_gib

    def check(self) -> None:
        from steelyard.construct import Refused  # noqa: PLC0415  only where there is a sweep

        check_counts(0, n_together=self.n_together)
        given = self.memory_gib
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        if not (is_number and math.isfinite(given) and given >= 0):
            raise Refused(
                f"`hydra.launcher.memory_gib` must be a finite number of at least 0, got {given!r}."
            )

    def carry_out(self, configs: Sequence[DictConfig]) -> None:
        from steelyard.launch.population import Population  # noqa: PLC0415

        Population(self.runs, self.n_together, self.memory_gib).carry_out(configs)


@dataclass
class PopulationConfig:
    """What Hydra composes for the launcher."""

    _target_: str = "hydra_plugins.steelyard.population.PopulationLauncher"
    n_together: Any = 0  # its type is checked by the launcher, whose message says more
    memory_gib: Any = 0


ConfigStore.instance().store(
    group="hydra/launcher", name="population", node=PopulationConfig, provider="steelyard"
)
