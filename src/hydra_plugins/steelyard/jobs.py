"""The runs of a sweep as configurations: what they choose alike is composed once."""

import copy
from collections.abc import Sequence
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException


def configs_of(
    loader: ConfigLoader, master: DictConfig, jobs: Sequence[Sequence[str]]
) -> list[DictConfig]:
    """Returns the configuration of each run, as Hydra composes it.

    Hydra reads and merges every file anew for each run, which takes a fifth of a second. Runs that
    choose the same files differ in values alone, and those are set in a copy.

    Args:
        loader: Hydra's.
        master: The configuration of the sweep.
        jobs: The overrides of each run.
    """
    parser = OverridesParser.create(config_loader=loader)
    bases: dict[tuple[str, ...], DictConfig] = {}
    is_group: dict[str, bool] = {}

    def chooses(override: Override) -> bool:
        key = override.key_or_group
        if key not in is_group:
            is_group[key] = bool(loader.get_group_options(key))
        return is_group[key] and not isinstance(override.value(), dict)

    def config_of(job: Sequence[str]) -> DictConfig:
        overrides = parser.parse_overrides(list(job))
        chosen = [each for each in overrides if chooses(each)]
        values = [each for each in overrides if not chooses(each)]
        if any(each.is_add() or each.is_delete() or each.package for each in values):
            return loader.load_sweep_config(master, list(job))
        words = tuple(str(each.input_line) for each in chosen)
        if words not in bases:
            bases[words] = loader.load_sweep_config(master, list(words))
        config = copy.deepcopy(bases[words])
        try:
            for each in values:
                OmegaConf.update(
                    config,
                    each.key_or_group,
                    each.value(),
                    merge=True,
                    force_add=each.is_force_add(),
                )
        except OmegaConfBaseException:
            return loader.load_sweep_config(master, list(job))  # its own error says more
        return config

    return [config_of(job) for job in jobs]


def hand_on(
    launcher: Any,
    jobs: Sequence[Sequence[str]],
    configs: Sequence[DictConfig],
    size: int,
    first: int = 0,
) -> list[Any]:
    """Hands runs to a launcher, some at a time, and returns what it returned.

    Args:
        launcher: Hydra's, or one of ours, which takes the configurations as they are.
        jobs: The overrides of each run.
        configs: The configuration of each run, with Hydra's part.
        size: How many at a time.
        first: The number of the first one in the whole sweep.
    """
    launcher.composed = {tuple(job): each for job, each in zip(jobs, configs, strict=True)}
    results: list[Any] = []
    for begin in range(0, len(jobs), size):
        batch = jobs[begin : begin + size]
        results.append(launcher.launch(batch, initial_job_idx=first + begin))
    for result in (each for batch in results for each in batch):
        _ = result.return_value  # raises what the run raised
    return results
