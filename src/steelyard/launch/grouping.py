"""Which runs of a sweep train together: those of one population, and those of one stack."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from omegaconf import DictConfig

from steelyard.construct import construct, flat
from steelyard.identity import plain, source_of
from steelyard.run import optimizer_of

PARTS = ("model", "weighting", "balance", "optimizer", "training")  # which make a step what it is


def populations(configs: Sequence[DictConfig]) -> list[list[DictConfig]]:
    """Returns the runs by what they share: data and batch size.

    Within a population those of one make follow each other, for only the latest traces are kept.
    """
    found: dict[str, list[DictConfig]] = {}
    for config in configs:
        found.setdefault(json.dumps(_shared(config)), []).append(config)
    return [[each for make in _makes(members) for each in make] for members in found.values()]


def _makes(members: Sequence[DictConfig]) -> list[list[DictConfig]]:
    """Returns the runs by all that a step depends on."""
    found: dict[str, list[DictConfig]] = {}
    for config in members:
        make = json.dumps([plain(config[part]) for part in PARTS])
        found.setdefault(make, []).append(config)
    return list(found.values())


def _shared(config: DictConfig) -> dict[str, Any]:
    return {"data": plain(config.data), "batch_size": config.training.batch_size}


def models(members: Sequence[DictConfig]) -> list[DictConfig]:
    """Returns a run of each model and weighting."""
    found = {json.dumps([plain(each.model), plain(each.weighting)]): each for each in members}
    return list(found.values())


def difference(one: DictConfig, other: DictConfig) -> str:
    """Returns in which keys two populations differ, in words."""
    told = []
    first, second = (dict(flat(_shared(each))) for each in (one, other))
    for key in dict.fromkeys([*first, *second]):
        if first.get(key) != second.get(key):
            told.append(f"{key} {second.get(key)} and not {first.get(key)}")
    return ", ".join(told)


class Group(NamedTuple):
    """Runs that take their steps together."""

    members: list[DictConfig]
    size: int  # room in their stack, which is the same for all groups of a make; 1 for no stack


def groups(members: Sequence[DictConfig], n_lanes: int, most: int) -> list[Group]:
    """Returns which runs take their steps together.

    Args:
        members: The runs; those of one make follow each other.
        n_lanes: Groups at a time, which are to have equally much to do.
        most: Runs in a group.
    """
    found = []
    for make in _makes(members):
        if most > 1 and len(make) > 1 and _can_be_stacked(make[0]):
            n_turns = -(-len(make) // (most * n_lanes))
            size = -(-len(make) // (n_turns * n_lanes))
        else:
            size = 1
        found += [Group(make[n : n + size], size) for n in range(0, len(make), size)]
    return found


def _can_be_stacked(config: DictConfig) -> bool:
    from steelyard.training.stackable import are_light, is_dense  # noqa: PLC0415  after the threads are set

    with suppress(ValueError):  # the run will say what is wrong
        weighting, balance = construct(config.weighting), construct(config.balance)
        light = are_light(weighting, balance, optimizer_of(plain(config.optimizer)))
        if light and config.training.precision == "float32":
            source = source_of(json.dumps(plain(config.data)))
            return is_dense(construct(config.model).build(source.inputs, source.tasks))
    return False
