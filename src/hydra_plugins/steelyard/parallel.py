"""`hydra/launcher=parallel`: the runs of a sweep in several processes of this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from hydra_plugins.steelyard.elsewhere import Elsewhere, check_counts


class ParallelLauncher(Elsewhere):
    """Carries out each run in a process beside the command's.

    Attributes:
        n_processes: At a time; where not set half the cores, or as many as memory is free for.
        runs_per_process: Runs that a process carries out, one after another, before a new one
            takes its place: starting one costs seconds, keeping one some megabytes a run.
    """

    def __init__(self, n_processes: int | None, runs_per_process: int) -> None:
        self.n_processes = n_processes
        self.runs_per_process = runs_per_process

    def check(self) -> None:
        check_counts(1, runs_per_process=self.runs_per_process)
        if self.n_processes is not None:
            check_counts(1, n_processes=self.n_processes)

    def carry_out(self, configs: Sequence[DictConfig]) -> None:
        from steelyard.launch.parallel import Pool, n_processes_of_this_machine  # noqa: PLC0415

        n_processes = self.n_processes or n_processes_of_this_machine()
        Pool(self.runs, n_processes, self.runs_per_process).carry_out(configs)


@dataclass
class ParallelConfig:
    """What Hydra composes for the launcher."""

    _target_: str = "hydra_plugins.steelyard.parallel.ParallelLauncher"
    n_processes: Any = None  # its type is checked by the launcher, whose message says more
    runs_per_process: Any = 20


ConfigStore.instance().store(
    group="hydra/launcher", name="parallel", node=ParallelConfig, provider="steelyard"
)
