"""A search for the loss weights that no others beat on every head, on Optuna."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from steelyard.construct import Refused
from steelyard.sweep.knobs import check_decades, check_positive, check_whole
from steelyard.sweep.weights import DIGITS, rounded, written

HERE = "hydra.sweeper"
LESS_IS_BETTER = ("loss", "mae", "rmse", "log_loss")
RATE = "optimizer.learning_rate"
MOST_DRAWS = 200  # for one setting that was not tried before
PAIR = 2


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched, and for what.

    Each setting is a point of the heads' weights, log-uniform in each head's ratio to the first
    head's, rounded and scaled as a sweep's points are; the first one is equal weights. Proposals
    are those of the multi-objective tree-structured Parzen estimator (Ozaki et al. 2022, Optuna's
    `TPESampler`), drawn at random until it has enough to go by.

    Attributes:
        n_trials: Settings to try in all, also where some were tried before.
        batch_size: Settings that are proposed at a time, and may train together. It is no matter of
            the machine: another number makes another search.
        objectives: Measures of the best epoch's validation, of which less is better; where not
            set, each head's loss.
        decades: Factors of ten between the least and the largest ratio of a head to the first.
        learning_rate: The least and the largest one to search; not searched where not set.
        seed: Draws the proposals; the runs have their own.
    """

    n_trials: int = 40
    batch_size: int = 4
    objectives: Sequence[str] | None = None
    decades: float = 6.0
    learning_rate: Sequence[float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(f"{HERE}.n_trials", self.n_trials, 1)
        check_whole(f"{HERE}.batch_size", self.batch_size, 1)
        check_whole(f"{HERE}.seed", self.seed, 0)
        check_decades(f"{HERE}.decades", self.decades)
        if self.learning_rate is None:
            return
        given = self.learning_rate
        name = f"{HERE}.learning_rate"
        if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != PAIR:
            raise Refused(f"`{name}` must be a list of the least and the largest, got {given!r}.")
        for rate in given:
            check_positive(name, rate)
        if given[0] >= given[1]:
            raise Refused(f"`{name}` must go from a smaller to a larger, got {list(given)}.")

    def objectives_for(self, heads: Sequence[str]) -> list[str]:
        """Returns the measures that the search makes small, for these heads.

        Raises:
            Refused: There is only one head, or a measure is none of validation's that should be
                small.
        """
        if len(heads) < PAIR:
            raise Refused(f"`loss_weights` must have two heads or more, got {', '.join(heads)}.")
        given = self.objectives
        if given is None:
            return [f"best/{head}/loss" for head in heads]
        known = [f"best/{head}/{each}" for head in heads for each in LESS_IS_BETTER]
        known.append("best/score")
        is_list = isinstance(given, Sequence) and not isinstance(given, str)
        for name in given if is_list else [given]:
            if not is_list or name not in known:
                raise Refused(
                    f"`{HERE}.objectives` must list measures of validation of which less is "
                    f"better ({', '.join(known)}), got {name!r}."
                )
        if not given or len(set(given)) < len(given):
            raise Refused(f"`{HERE}.objectives` must list each measure once, got {list(given)}.")
        return list(given)


class Setting(NamedTuple):
    """What a trial of the search trains with."""

    number: int  # of Optuna's trial
    weights: dict[str, float]
    learning_rate: float | None

    def overrides(self, is_rule: bool) -> list[str]:
        """Returns the setting as overrides.

        Args:
            is_rule: Whether equal weights are told by their rule.
        """
        told = [f"++loss_weights={written(self.weights, is_rule)}"]
        return told + ([f"{RATE}={self.learning_rate!r}"] if self.learning_rate else [])


class Proposals:
    """The settings of a search, proposed one by one by what came of those before.

    They follow from the knobs and from what is told, in its order, and nothing is kept: a search
    that was stopped is gone through again, and what its records tell leads to the same proposals.
    """

    def __init__(self, search: Search, heads: Sequence[str], n_objectives: int) -> None:
        import optuna  # noqa: PLC0415  half a second, for those who search

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.search = search
        self.heads = heads
        self.failed = optuna.trial.TrialState.FAIL
        sampler = optuna.samplers.TPESampler(seed=search.seed, multivariate=True)
        directions = [optuna.study.StudyDirection.MINIMIZE] * n_objectives
        self.study = optuna.create_study(directions=directions, sampler=sampler)
        half = 10 ** (search.decades / 2)
        spans = dict.fromkeys(heads[1:], (1 / half, half))
        first = dict.fromkeys(spans, 1.0)
        if search.learning_rate is not None:
            least, largest = spans[RATE] = (search.learning_rate[0], search.learning_rate[1])
            first[RATE] = math.sqrt(least * largest)
        self.space: dict[str, optuna.distributions.BaseDistribution] = {
            name: optuna.distributions.FloatDistribution(*span, log=True)
            for name, span in spans.items()
        }
        self.study.enqueue_trial(first)
        self.proposed: dict[str, Setting] = {}  # by what they train with

    def propose(self, n_settings: int) -> list[Setting]:
        """Returns settings that were not proposed before: fewer where no others can be found."""
        found: list[Setting] = []
        for _ in range(n_settings):
            for _ in range(MOST_DRAWS):
                trial = self.study.ask(self.space)
                setting = self._setting(trial.number, trial.params)
                name = str(setting[1:])
                if name not in self.proposed:
                    self.proposed[name] = setting
                    found.append(setting)
                    break
                self.study.tell(trial.number, state=self.failed)  # a repeat, drawn anew
            else:
                break  # there is nothing left to find
        return found

    def tell(self, setting: Setting, values: Sequence[float] | None) -> None:
        """Is told what came of a setting: its objectives, or None where its run has none."""
        if values is None:
            self.study.tell(setting.number, state=self.failed)
        else:
            self.study.tell(setting.number, list(values))

    def front(self) -> list[tuple[Setting, list[float]]]:
        """Returns the settings that no other beats, with their objectives, by the first of these.

        One beats another where it is at least as good in every objective, and better in one.
        """
        by_number = {each.number: each for each in self.proposed.values()}
        best = [(by_number[trial.number], list(trial.values)) for trial in self.study.best_trials]
        return sorted(best, key=lambda pair: pair[1])

    def _setting(self, number: int, params: Mapping[str, Any]) -> Setting:
        weights = {head: float(params.get(head, 1.0)) for head in self.heads}
        rate = params.get(RATE)
        rate = None if rate is None else float(f"{rate:.{DIGITS}g}")
        return Setting(number, rounded(weights), rate)
