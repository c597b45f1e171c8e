"""The rounds of a sweep that is halved: all settings for few epochs, the best for more."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_plugins.steelyard.arms import RUNS, ArmsSweeper, Sweep
from hydra_plugins.steelyard.jobs import configs_of, hand_on
from steelyard.cli.validate import validate_sweep, without_hydra
from steelyard.construct import Refused, construct
from steelyard.sweep.halving import HERE, Halving
from steelyard.sweep.marks import keys_of, setting_of
from steelyard.sweep.outcome import means_of, records_of
from steelyard.voice import say

EPOCHS, SCORE = "training.epochs", "best/score"


class Rounds:
    """Carries out a sweep round by round (`steelyard.sweep.halving.Halving`)."""

    def __init__(self, sweeper: ArmsSweeper, halving: Any) -> None:
        node = OmegaConf.to_container(halving) if OmegaConf.is_config(halving) else halving
        if not isinstance(node, Mapping):
            raise Refused(f"`{HERE}` must be a mapping with epochs and keep, got {node!r}.")
        self.halving: Halving = construct({**node, "_target_": f"{Halving.__module__}.Halving"})
        self.sweeper = sweeper

    def carry_out(self, runs: Sweep) -> list[Any]:
        """Returns what the launcher returned, round by round; who goes on is told as it is decided.

        Raises:
            Refused: The sweep says itself for how many epochs its runs train.
        """
        settings: dict[str, list[list[str]]] = {}
        for job in runs.jobs:
            if EPOCHS in keys_of(job):
                raise Refused(f"`{EPOCHS}` must be left to `{HERE}`, got a value of its own.")
            settings.setdefault(setting_of(job), []).append(job)
        alive = list(settings.values())
        sizes = self.halving.sizes(len(alive))
        os.environ[RUNS] = str(sum(sizes) * max(map(len, alive)))
        results: list[Any] = []
        n_done = 0
        for n, epochs in enumerate(self.halving.epochs):
            jobs = [[*job, f"{EPOCHS}={epochs}"] for setting in alive for job in setting]
            results += self._launch(jobs, n_done)
            n_done += len(jobs)
            told = f"Round {n + 1} of {len(sizes)}: {len(alive)} settings for {epochs} epochs"
            if n + 1 < len(sizes):
                scores = [self._score(setting, epochs) for setting in alive]
                alive = [alive[k] for k in self.halving.best(scores)]
                told += f"; {len(alive)} go on"
            say(f"{told}.")
            if not alive:
                break
        return results

    def _launch(self, jobs: Sequence[list[str]], first: int) -> list[Any]:
        configs = self._configs(jobs)
        validate_sweep(configs)
        size = self.sweeper.max_batch_size or len(jobs)
        return hand_on(self.sweeper.launcher, jobs, configs, size, first)

    def _score(self, setting: Sequence[list[str]], epochs: int) -> float | None:
        """Returns the score of a setting, its mean over seeds; None where a run has none."""
        configs = self._configs([[*job, f"{EPOCHS}={epochs}"] for job in setting])
        found = means_of(records_of([without_hydra(each) for each in configs]), [SCORE])
        return found[0] if found else None

    def _configs(self, jobs: Sequence[Sequence[str]]) -> list[DictConfig]:
        return configs_of(self.sweeper.hydra_context.config_loader, self.sweeper.config, jobs)
