"""Runs of a sweep that train beside each other in one process, on what one of them had traced."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import NamedTuple

from omegaconf import DictConfig

from steelyard.construct import construct
from steelyard.identity import plain, source_of
from steelyard.launch.board import Answer, Board, answer, outcome
from steelyard.launch.crew import Crew
from steelyard.launch.free import free_bytes
from steelyard.launch.grouping import Group, difference, groups, models, populations
from steelyard.launch.parallel import n_cores
from steelyard.tracking.tracker import Identity
from steelyard.voice import say

SHARE_OF_MEMORY = 0.7  # of what is free when a population begins
GIB = 2**30
STACK = 24  # runs that take their steps at once; with more, what they compute leaves the cache


class Plan(NamedTuple):
    """How a population is carried out."""

    groups: list[Group]
    n_lanes: int  # groups at a time
    why: str


class Population:
    """Runs that share their data and batch size; as many train at a time as suits the machine.

    Each is a complete run: its own variables, weighting, optimizer, seeds and record. What they
    share are the examples and, where they are of one make, the step that TensorFlow has traced;
    small models of one make even take each step at once.

    Attributes:
        board: Told of the runs.
        n_together: Places where runs train at the same time, each with one run or with a stack of
            small ones; where it is 0, as many as there are cores.
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
            plan = self._plan(members)
            others = f": {difference(together[0][0], members[0])}" if n > 1 else ""
            name = f"Population {n} of {len(together)}{others}"
            say(f"{name}: {len(members)} runs, {plan.why}.")
            self._train(plan)

    def _plan(self, members: Sequence[DictConfig]) -> Plan:
        """Returns which runs train together and how many at a time, and why."""
        from steelyard.training.memory import bytes_of_run  # noqa: PLC0415  after the threads are set

        wanted = min(self.n_together or n_cores(), len(members))
        budget = self.memory_gib * GIB or free_bytes() * SHARE_OF_MEMORY
        sizes = []
        for config in models(members):
            with suppress(ValueError):  # its run will say what is wrong, and the others go on
                source = source_of(json.dumps(plain(config.data)))
                parts = construct(config.model), construct(config.weighting)
                sizes.append(bytes_of_run(source, *parts, config.training.batch_size))
        each = max(sizes, default=1)
        fitting = max(1, int(budget // each))
        n_lanes = min(wanted, fitting)
        together = groups(members, n_lanes, min(STACK, fitting // n_lanes))
        told, size = f"{n_lanes} at a time", max(each.size for each in together)
        if size > 1:
            told = f"in stacks of up to {size}, {n_lanes} at a time"
        room = f"{each / GIB:.2g} GiB each"
        if n_lanes < wanted:
            room = f"and not {wanted}, for {budget / GIB:.2g} GiB ({room})"
        else:
            room = f"({room})"
        return Plan(together, n_lanes, f"{told} {room}")

    def _train(self, plan: Plan) -> None:
        waiting, lanes = list(plan.groups), list(range(plan.n_lanes))
        n_threads = plan.n_lanes * max(each.size for each in plan.groups)
        going: dict[Future[Answer], tuple[int, DictConfig]] = {}
        with ThreadPoolExecutor(n_threads) as threads:
            try:
                while waiting or going:
                    while waiting and lanes:
                        lane, group = lanes.pop(0), waiting.pop(0)
                        for future, config in self._begin(threads, group, lane):
                            going[future] = (lane, config)
                    for future in wait(going, return_when=FIRST_COMPLETED).done:
                        lane, config = going.pop(future)
                        if lane not in {each for each, _ in going.values()}:
                            lanes.append(lane)
                        self.board.ended(config, outcome(future.result()))
            except BaseException:
                self.stopping.set()  # each ends with its epoch; its checkpoint serves another time
                raise

    def _begin(
        self, threads: ThreadPoolExecutor, group: Group, lane: int
    ) -> Iterator[tuple[Future[Answer], DictConfig]]:
        """Yields the runs of a group as each is begun."""
        crew = Crew(len(group.members), group.size, self.stopping)
        n_to_come = len(group.members)
        try:
            for config in group.members:
                self.board.begin(config, lane)
                future = threads.submit(self._run, config, lane, crew)
                n_to_come -= 1
                yield future, config
        finally:
            crew.expect_fewer(n_to_come)  # those that a stop keeps from coming

    def _run(self, config: DictConfig, lane: int, crew: Crew) -> Answer:
        def watch(identity: Identity, epoch: int, values: Mapping[str, float]) -> None:
            if self.stopping.is_set():
                raise KeyboardInterrupt
            self.board.epoch(identity, epoch, values, lane)

        try:
            crew.come()
            return answer(plain(config), watch, crew)
        finally:
            crew.leave()
