"""A sweep of several arms: each a product of choices, all checked before the first run begins."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.steelyard.jobs import configs_of, hand_on

RUNS = "STEELYARD_RUNS"  # the variable that says how many runs a sweep has
PLACE = "++loss_weights={rule:points}"  # where the points will stand among a run's overrides
ASKED = ("params", "arms", "points", "tuned", "across")


class Asked(NamedTuple):
    """What a configuration asks of the sweeper, as plain containers."""

    params: dict[str, Any]
    arms: list[dict[str, Any]]
    points: dict[str, Any] | None
    tuned: Any
    across: Any


class Sweep(NamedTuple):
    """The runs of a sweep: of each its overrides, and its configuration with Hydra's part."""

    jobs: list[list[str]]
    configs: list[DictConfig]


def asked_of(node: Mapping[str, Any]) -> Asked:
    """Returns what the sweeper's part of a configuration asks."""
    known = OmegaConf.create({name: node[name] for name in ASKED})
    plain: Any = OmegaConf.to_container(known, resolve=True)
    return Asked(**{**plain, "params": plain["params"] or {}, "arms": plain["arms"] or []})


def sweep_of(
    loader: ConfigLoader,
    master: DictConfig,
    asked: Asked,
    arguments: Sequence[str],
    lead: Sequence[str] = (),
) -> Sweep:
    """Returns the runs of a sweep, composed and checked.

    Args:
        loader: Hydra's.
        master: The configuration of the sweep.
        asked: What it asks of the sweeper.
        arguments: Of the command line, which win over the configuration.
        lead: Overrides that every run is composed with, and that are not told as its own.

    Raises:
        Refused: One cannot be carried out, or the sweeper is asked what there is not.
    """
    from steelyard.cli.validate import validate_sweep  # noqa: PLC0415  only where there is a sweep
    from steelyard.sweep.marks import check_marks  # noqa: PLC0415

    arms = [*asked.arms, _with_place()] if asked.points else asked.arms
    jobs = jobs_of(loader, asked.params, arms, arguments)
    if asked.points:
        jobs = _with_points(loader, master, asked.points, jobs, lead)
    configs = configs_of(loader, master, [[*lead, *job] for job in jobs])
    validate_sweep(configs)
    check_marks(asked.tuned, asked.across, jobs)
    return Sweep(jobs, configs)


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

    Raises:
        Refused: A key is to have one of no values.
    """
    from steelyard.construct import Refused  # noqa: PLC0415  only where there is a sweep

    parser = OverridesParser.create(config_loader=loader)
    jobs: dict[tuple[str, ...], None] = {}
    for arm in arms or [{}]:
        told = [f"{key}={value}" for key, value in {**params, **arm}.items()]
        overrides = parser.parse_overrides([*told, *arguments])
        found = BasicSweeper.split_arguments(overrides, None)[0]
        if not found:
            swept = [str(each.input_line) for each in overrides if each.is_sweep_override()]
            where = " ".join(swept)
            raise Refused(f"`-m` must be given values to sweep over, got none in {where}.")
        for job in found:
            jobs[tuple(job)] = None
    return [list(job) for job in jobs]


def _with_place() -> dict[str, str]:
    key, _, value = PLACE.partition("=")
    return {key: value}


def _with_points(
    loader: ConfigLoader,
    master: DictConfig,
    points: Mapping[str, Any],
    jobs: Sequence[Sequence[str]],
    lead: Sequence[str],
) -> list[list[str]]:
    """Returns the overrides of each run, those with a place for points once for each point.

    The heads are those of the run's data, which may themselves be swept over.
    """
    from steelyard.cli.validate import validate_sweep  # noqa: PLC0415  only where there is a sweep
    from steelyard.sweep.heads import heads_of, points_of  # noqa: PLC0415
    from steelyard.sweep.weights import written  # noqa: PLC0415

    design = points_of(points)
    bare = [[each for each in job if each != PLACE] for job in jobs]
    configs = configs_of(loader, master, [[*lead, *job] for job in bare])
    validate_sweep(configs)
    found: dict[tuple[str, ...], None] = {}
    for job, config in zip(jobs, configs, strict=True):
        if PLACE not in job:
            found[tuple(job)] = None
            continue
        heads, key = heads_of(config), PLACE.partition("=")[0]
        is_rule = not any(head in config.loss_weights for head in heads)
        for weights in design.of(heads):
            told = f"{key}={written(weights, is_rule)}"
            found[tuple(told if each == PLACE else each for each in job)] = None
    return [list(job) for job in found]


class ArmsSweeper(BasicSweeper):
    """Hydra's own sweep, once for each arm.

    Attributes:
        max_batch_size: Runs that a launcher is given at a time; all of them where not set.
        asked: `params`, keys and what each sweeps over, in every arm; `arms`, further keys, arm by
            arm; `points`, loss weights that make one more arm (`steelyard.sweep.points`); `tuned`
            and `across`, of what is swept over the keys that a report is to treat as tuned, and as
            conditions.
        halving: `epochs` and `keep`, where the best settings alone go on to more epochs
            (`steelyard.sweep.halving`).
    """

    def __init__(
        self,
        max_batch_size: int | None,
        params: Any = None,
        arms: Any = None,
        points: Any = None,
        tuned: Any = None,
        across: Any = None,
        halving: Any = None,
    ) -> None:
        super().__init__(max_batch_size, params)
        given = (params, arms, points, tuned or [], across)
        self.asked = asked_of(dict(zip(ASKED, given, strict=True)))
        self.halving = halving

    def sweep(self, arguments: list[str]) -> Any:
        """Checks every run, then hands them to the launcher."""
        from steelyard.sweep.marks import check_apart, is_study  # noqa: PLC0415  for a sweep alone

        loader = self.hydra_context.config_loader
        runs = sweep_of(loader, self.config, self.asked, arguments)
        if self.halving is None and is_study(arguments, self.config):
            check_apart(self.asked.tuned, self.asked.across, runs.jobs, runs.configs)
        if self.halving is not None:
            from hydra_plugins.steelyard._rounds import Rounds  # noqa: PLC0415  for those who halve

            return Rounds(self, self.halving).carry_out(runs)
        os.environ[RUNS] = str(len(runs.jobs))
        size = self.max_batch_size or len(runs.jobs)
        return hand_on(self.launcher, runs.jobs, runs.configs, size)


@dataclass
class ArmsConfig:
    """What Hydra composes for the sweeper."""

    _target_: str = "hydra_plugins.steelyard.arms.ArmsSweeper"
    _recursive_: bool = False  # the points are constructed by us, who look at what they name
    max_batch_size: int | None = None
    params: dict[str, Any] | None = None
    arms: list[Any] = field(default_factory=list)
    points: Any = None
    tuned: Any = field(default_factory=list)  # its type is checked by us, whose message says more
    across: Any = None
    halving: Any = None


ConfigStore.instance().store(
    group="hydra/sweeper", name="arms", node=ArmsConfig, provider="steelyard"
)
