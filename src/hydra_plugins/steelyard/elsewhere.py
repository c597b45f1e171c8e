"""A launcher that hands runs on: what the launchers of the project share."""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class Elsewhere(Launcher):
    """Composes the runs, tells of those that are there already, and has the others carried out.

    Attributes:
        composed: The configuration of each run, by its overrides, where the sweeper says it.
        runs: Of the command, which is told how each run goes (`steelyard.launch.board.Board`).
    """

    composed: Mapping[tuple[str, ...], DictConfig] = MappingProxyType({})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.hydra_context = hydra_context
        self.config = config
        self.runs: Any = task_function.__self__  # of `Runs.task`
        self.check()

    @abstractmethod
    def check(self) -> None:
        """Refuses knobs that are out of range.

        Raises:
            Refused: One is.
        """

    @abstractmethod
    def carry_out(self, configs: Sequence[DictConfig]) -> None:
        """Carries out runs that have no record yet, and tells `runs` of each as it ends."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> list[JobReturn]:
        """Returns when all runs are over; what came of them is in `runs`."""
        from steelyard.cli.validate import without_hydra  # noqa: PLC0415  only where there is a sweep
        from steelyard.identity import identify, plain, source_of  # noqa: PLC0415
        from steelyard.tracking.record import RunFolder  # noqa: PLC0415

        configs, identities, missing = [], [], []
        for overrides in job_overrides:
            config = self.composed.get(tuple(overrides))
            if config is None:  # a sweeper of someone else's
                loader = self.hydra_context.config_loader
                config = loader.load_sweep_config(self.config, list(overrides))
            configs.append(without_hydra(config))
        self.runs.open(configs[0])
        for config in configs:
            settings = plain(config)
            identity = identify(settings, source_of(json.dumps(settings["data"])))
            identities.append(identity)
            if RunFolder(Path(config.output), identity.key).record() is None:
                missing.append(config)
            else:
                self.runs.task(config)
        if missing:
            self.carry_out(missing)
        self.runs.arrange(identities)
        pairs = zip(job_overrides, configs, strict=True)
        return [
            JobReturn(overrides=told, cfg=config, status=JobStatus.COMPLETED, _return_value=None)
            for told, config in pairs
        ]


def check_counts(least: int, **knobs: Any) -> None:
    """Refuses knobs of a launcher that are no whole numbers, or less than they must be.

    Raises:
        Refused: One is.
    """
    from steelyard.construct import Refused  # noqa: PLC0415  only where there is a sweep

    for name, value in knobs.items():
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused(f"`hydra.launcher.{name}` must be a whole number, got {value!r}.")
        if value < least:
            raise Refused(f"`hydra.launcher.{name}` must be at least {least}, got {value}.")
