"""Runs of a sweep that train beside each other in one process, on what one of them had traced."""

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

import psutil
from omegaconf import DictConfig

from steelyard.construct import construct, flat
from steelyard.launch.board import Answer, Board, answer, outcome
from steelyard.launch.parallel import n_cores
from steelyard.run import plain, source_of
from steelyard.tracking.tracker import Identity

SHARE_OF_MEMORY = 0.7  # of what is free when a population begins
GIB = 2**30
PARTS = ("model", "weighting", "balance", "optimizer", "training")  # which make a step what it is


class Population:
    """Runs that share their data and batch size; as many train at a time as suits the machine.

    Each is a complete run: its own variables, weighting, optimizer, seeds and record. What they
    share are the examples and, where they are of one make, the step that TensorFlow has traced.

    Attributes:
        board: Told of the runs.
        n_together: Runs that train at the same time; where it is 0, as many as there are cores.
        memory_gib: What the runs of a population may take together; where it is 0, most of what
            is free.
    """

    def __init__(self, board: Board, n_together: int, memory_gib: float) -> None:
        self.board = board
        self.n_together = n_together
        self.memory_gib = memory_gib
        self.stopping = threading.Event()

    def carry_out(self, configs: Sequence[DictConfig]) -> None:
        """Carries out runs, population by population, and tells the board of each as it ends."""
        construct(configs[0].runtime).prepare()
        together = populations(configs)
        for n, members in enumerate(together, start=1):
            n_lanes, why = self._n_lanes(members)
            others = f": {_difference(together[0][0], members[0])}" if n > 1 else ""
            name = f"Population {n} of {len(together)}{others}"
            print(f"{name}: {len(members)} runs, {why}.", file=sys.stderr, flush=True)
            self._train(members, n_lanes)

    def _n_lanes(self, members: Sequence[DictConfig]) -> tuple[int, str]:
        """Returns how many runs train at a time, and why."""
        from steelyard.training.memory import bytes_of_run  # noqa: PLC0415  after the threads are set

        wanted = min(self.n_together or n_cores(), len(members))
        free = psutil.virtual_memory().available * SHARE_OF_MEMORY
        budget = self.memory_gib * GIB or free
        sizes = []
        for config in _models(members):
            with suppress(ValueError):  # its run will say what is wrong, and the others go on
                source = source_of(json.dumps(plain(config.data)))
                parts = construct(config.model), construct(config.weighting)
                sizes.append(bytes_of_run(source, *parts, config.training.batch_size))
        each = max(sizes, default=1)
        fitting = max(1, int(budget // each))
        size = f"{each / GIB:.2g} GiB each"
        if fitting < wanted:
            return (
                fitting,
                f"{fitting} at a time and not {wanted}, for {budget / GIB:.2g} GiB ({size})",
            )
        return wanted, f"{wanted} at a time ({size})"

    def _train(self, members: Sequence[DictConfig], n_lanes: int) -> None:
        waiting, lanes = list(members), list(range(n_lanes))
        going: dict[Future[Answer], tuple[int, DictConfig]] = {}
        with ThreadPoolExecutor(n_lanes) as threads:
            try:
                while waiting or going:
                    while waiting and lanes:
                        lane, config = lanes.pop(0), waiting.pop(0)
                        self.board.begin(config, lane)
                        going[threads.submit(self._run, config, lane)] = (lane, config)
                    for future in wait(going, return_when=FIRST_COMPLETED).done:
                        lane, config = going.pop(future)
                        lanes.append(lane)
                        self.board.ended(config, outcome(future.result()))
            except BaseException:
                self.stopping.set()  # each ends with its epoch; its checkpoint serves another time
                raise

    def _run(self, config: DictConfig, lane: int) -> Answer:
        def watch(identity: Identity, epoch: int, values: Mapping[str, float]) -> None:
            if self.stopping.is_set():
                raise KeyboardInterrupt
            self.board.epoch(identity, epoch, values, lane)

        return answer(plain(config), watch)


def populations(configs: Sequence[DictConfig]) -> list[list[DictConfig]]:
    """Returns the runs by what they share: data and batch size.

    Within a population those of one make follow each other, for only the latest traces are kept.
    """
    found: dict[str, dict[str, list[DictConfig]]] = {}
    for config in configs:
        makes = found.setdefault(json.dumps(_shared(config)), {})
        make = json.dumps([plain(config[part]) for part in PARTS])
        makes.setdefault(make, []).append(config)
    return [[each for make in makes.values() for each in make] for makes in found.values()]


def _shared(config: DictConfig) -> dict[str, Any]:
    return {"data": plain(config.data), "batch_size": config.training.batch_size}


def _models(members: Sequence[DictConfig]) -> list[DictConfig]:
    """Returns a run of each model and weighting."""
    found = {json.dumps([plain(each.model), plain(each.weighting)]): each for each in members}
    return list(found.values())


def _difference(one: DictConfig, other: DictConfig) -> str:
    """Returns in which keys two populations differ, in words."""
    told = []
    first, second = (dict(flat(_shared(each))) for each in (one, other))
    for key in dict.fromkeys([*first, *second]):
        if first.get(key) != second.get(key):
            told.append(f"{key} {second.get(key)} and not {first.get(key)}")
    return ", ".join(told)
