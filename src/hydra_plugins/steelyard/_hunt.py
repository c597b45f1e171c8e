"""The search of `hydra/sweeper=pareto`: batch by batch, from a first setting to a front."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from hydra_plugins.steelyard.arms import RUNS, jobs_of
from hydra_plugins.steelyard.jobs import configs_of, hand_on
from steelyard.cli.validate import validate_sweep, without_hydra
from steelyard.construct import Refused, construct
from steelyard.sweep.heads import heads_of
from steelyard.sweep.marks import keys_of, setting_of
from steelyard.sweep.outcome import means_of, records_of
from steelyard.sweep.search import RATE, Proposals, Search, Setting
from steelyard.voice import say


class Hunt:
    """A search that is going on.

    Attributes:
        search: What is searched.
        base: The overrides of a setting's runs, one a seed, without what is searched.
        heads: Of the data.
        objectives: Names of measures, of which less is better.
    """

    def __init__(self, sweeper: Any, arguments: Sequence[str]) -> None:
        self.sweeper = sweeper
        target = f"{Search.__module__}.Search"
        self.search: Search = construct({**sweeper.knobs, "_target_": target})
        loader = sweeper.hydra_context.config_loader
        self.base = jobs_of(loader, sweeper.params, [], arguments)
        self._check_base()
        configs = configs_of(loader, sweeper.config, self.base)
        validate_sweep(configs)
        self.heads = heads_of(configs[0])
        self.is_rule = not any(head in configs[0].loss_weights for head in self.heads)
        self.objectives = self.search.objectives_for(self.heads)
        self.proposals = Proposals(self.search, self.heads, len(self.objectives))
        self.failures: list[Setting] = []
        self.is_over = False

    def carry_out(self) -> list[Any]:
        """Returns what the launcher returned, batch by batch."""
        os.environ[RUNS] = str(self.search.n_trials * len(self.base))
        results: list[Any] = []
        n_tried = 0
        while n_tried < self.search.n_trials:
            wanted = min(self.search.batch_size, self.search.n_trials - n_tried)
            batch = self.proposals.propose(wanted)
            results += self._train(batch, n_tried)
            n_tried += len(batch)
            if self.is_over:
                return results
            if len(batch) < wanted:
                say(f"The search found no more than {n_tried} settings.")
                break
        self._show(n_tried)
        return results

    def _train(self, batch: Sequence[Setting], n_before: int) -> list[Any]:
        """Has the runs of a batch carried out, and tells the search what came of them."""
        told = [each.overrides(self.is_rule) for each in batch]
        jobs = [[*job, *overrides] for overrides in told for job in self.base]
        if not jobs:
            return []
        configs = configs_of(self.sweeper.hydra_context.config_loader, self.sweeper.config, jobs)
        validate_sweep(configs)
        size = self.sweeper.max_batch_size or len(jobs)
        n_seeds = len(self.base)
        results = hand_on(self.sweeper.launcher, jobs, configs, size, n_before * n_seeds)
        records = records_of([without_hydra(each) for each in configs])
        if not any(records):
            self.is_over = True  # all were refused, and the command says why
            return results
        for n, setting in enumerate(batch):
            values = means_of(records[n * n_seeds : (n + 1) * n_seeds], self.objectives)
            self.proposals.tell(setting, values)
            if values is None:
                self.failures.append(setting)
        return results

    def _check_base(self) -> None:
        """Refuses a sweep over more than seeds, and another way to say what is searched.

        Raises:
            Refused: It is one.
        """
        if self.sweeper.halving is not None:
            raise Refused("`hydra.sweeper.halving` must be null in a search, got rounds.")
        settings = {setting_of(job) for job in self.base}
        if len(settings) > 1:
            raise Refused(
                "`hydra/sweeper=pareto` must be given one value for each key but `seed`, got a "
                f"sweep of {len(settings)} settings."
            )
        searched = ["loss_weights"] + ([RATE] if self.search.learning_rate else [])
        for key in keys_of(self.base[0]):
            if any(key == each or key.startswith(f"{each}.") for each in searched):
                raise Refused(f"`{key}` must be left to the search, got a value of its own.")

    def _show(self, n_tried: int) -> None:
        """Prints the settings that no other beats, and those that broke."""
        out = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
        front = self.proposals.front()
        table = Table(box=None, header_style="bold", title_justify="left")
        rate = [RATE] if self.search.learning_rate else []
        for name in [*self.heads, *rate, *self.objectives]:
            table.add_column(name, justify="right")
        for setting, values in front:
            told = [f"{weight:g}" for weight in setting.weights.values()]
            told += [f"{setting.learning_rate:g}"] if setting.learning_rate else []
            table.add_row(*told, *(f"{value:.4g}" for value in values))
        n_broken = len(self.failures)
        out.print(
            f"{n_tried} settings tried, {n_broken} of them failed or diverged; no other beats "
            f"these {len(front)} on validation:"
        )
        out.print(table)
        for setting in self.failures:
            out.print(f"failed or diverged: {' '.join(setting.overrides(False))}", markup=False)
