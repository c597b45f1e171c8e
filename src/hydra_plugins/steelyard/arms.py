"""A sweep of several arms: each a product of choices, all checked before the first run begins."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser

from hydra_plugins.steelyard.jobs import configs_of

RUNS = "STEELYARD_RUNS"  # the variable that says how many runs a sweep has


def jobs_of(
    loader: ConfigLoader | None,
    params: Mapping[str, Any],
    arms: Sequence[Mapping[str, Any]],
    arguments: Sequence[str],
) -> list[list[str]]:
    """Returns the overrides of each run, in order, without repetitions.

    Args:
        loader: Hydra's, which knows the choices of a `glob`.
        params: Keys and what each sweeps over, in every arm.
        arms: Further keys, arm by arm; each arm is a product of its own.
        arguments: Of the command line, which win over the configuration.
    """
    parser = OverridesParser.create(config_loader=loader)
    jobs: dict[tuple[str, ...], None] = {}
    for arm in arms or [{}]:
        told = [f"{key}={value}" for key, value in {**params, **arm}.items()]
        overrides = parser.parse_overrides([*told, *arguments])
        for job in BasicSweeper.split_arguments(overrides, None)[0]:
            jobs[tuple(job)] = None
    return [list(job) for job in jobs]


class ArmsSweeper(BasicSweeper):
    """Hydra's own sweep, once for each arm.

    Attributes:
        max_batch_size: Runs that a launcher is given at a time; all of them where not set.
        params: Keys and what each sweeps over, in every arm.
        arms: Further keys, arm by arm.
    """

    def __init__(
        self,
        max_batch_size: int | None,
        params: dict[str, str] | None = None,
        arms: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(max_batch_size, params)
        self.arms = arms or []

    def sweep(self, arguments: list[str]) -> Any:
        """Checks every run, then hands them to the launcher."""
        from steelyard.cli.validate import validate_sweep  # noqa: PLC0415  only where there is a sweep

        loader = self.hydra_context.config_loader
        jobs = jobs_of(loader, self.params, self.arms, arguments)
        configs = configs_of(loader, self.config, jobs)
        validate_sweep(configs)
        self.launcher.composed = {tuple(job): each for job, each in zip(jobs, configs, strict=True)}
        os.environ[RUNS] = str(len(jobs))
        size = self.max_batch_size or len(jobs)
        results: list[Any] = []
        for first in range(0, len(jobs), size):
            batch = jobs[first : first + size]
            results.append(self.launcher.launch(batch, initial_job_idx=first))
        for result in (each for batch in results for each in batch):
            _ = result.return_value  # raises what the run raised
        return results


@dataclass
class ArmsConfig:
    """What Hydra composes for the sweeper."""

    _target_: str = "hydra_plugins.steelyard.arms.ArmsSweeper"
    max_batch_size: int | None = None
    params: dict[str, Any] | None = None
    arms: list[Any] = field(default_factory=list)


ConfigStore.instance().store(
    group="hydra/sweeper", name="arms", node=ArmsConfig, provider="steelyard"
)
