"""`hydra/launcher=slurm`: the runs of a sweep as jobs of Slurm."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from hydra_plugins.steelyard.elsewhere import Elsewhere, check_counts


class SlurmLauncher(Elsewhere):
    """Carries out each run as a job of its own.

    Attributes:
        n_jobs: At a time.
        minutes: That a job may take; one that takes longer goes on from its checkpoint.
        memory_gb: Of a job.
        cpus: Of a job.
        gpus: Of a job.
        partition: Where the jobs go; Slurm's own where not set.
        account: That pays for them; one's own where not set.
        more: Any further options of `sbatch`, by their names.
    """

    def __init__(
        self,
        n_jobs: int,
        minutes: int,
        memory_gb: int,
        cpus: int,
        gpus: int,
        partition: str | None,
        account: str | None,
        more: dict[str, Any],
    ) -> None:
        self.n_jobs = n_jobs
        self.minutes = minutes
        self.memory_gb = memory_gb
        self.cpus = cpus
        self.gpus = gpus
        self.partition = partition
        self.account = account
        self.more = more

    def check(self) -> None:
        told = {name: getattr(self, name) for name in ("n_jobs", "minutes", "memory_gb", "cpus")}
        check_counts(1, **told)
        check_counts(0, gpus=self.gpus)
        if shutil.which("srun") is None:
            from steelyard.construct import Refused  # noqa: PLC0415  only where there is a sweep

            raise Refused(
                "`hydra/launcher` must be parallel where Slurm is not, got slurm and no `srun`."
            )

    def parameters(self) -> dict[str, Any]:
        """Returns what submitit's executor is told."""
        return {
            "name": "steelyard",
            "timeout_min": self.minutes,
            "mem_gb": self.memory_gb,
            "cpus_per_task": self.cpus,
            "gpus_per_node": self.gpus or None,
            "slurm_array_parallelism": self.n_jobs,
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_additional_parameters": dict(self.more) or None,
        }

    def carry_out(self, configs: Sequence[DictConfig]) -> None:
        from steelyard.launch.slurm import carry_out  # noqa: PLC0415  submitit, for those who use it

        carry_out(configs, self.runs, self.parameters())


@dataclass
class SlurmConfig:
    """What Hydra composes for the launcher."""

    _target_: str = "hydra_plugins.steelyard.slurm.SlurmLauncher"
    n_jobs: Any = 32
    minutes: Any = 60
    memory_gb: Any = 4
    cpus: Any = 2
    gpus: Any = 0
    partition: str | None = None
    account: str | None = None
    more: Any = field(default_factory=dict)


ConfigStore.instance().store(
    group="hydra/launcher", name="slurm", node=SlurmConfig, provider="steelyard"
)
