"""Runs of a sweep in several processes of this machine; one that dies takes its run alone along."""

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection
from typing import Any

from omegaconf import DictConfig

from steelyard.identity import plain
from steelyard.launch.board import Board, Broken, outcome
from steelyard.launch.free import free_bytes
from steelyard.launch.worker import GRACE_SECONDS, work
from steelyard.run import Done

BYTES_PER_PROCESS = 2 * 2**30  # TensorFlow takes one before it has seen an example
THREADS = ("TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
THREADS_OF_A_SUM = "TF_NUM_INTRAOP_THREADS"


def n_cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def n_processes_of_this_machine() -> int:
    """Returns how many processes suit it: half its cores, where its free memory is enough."""
    return max(1, min(n_cores() // 2, free_bytes() // BYTES_PER_PROCESS))


def environment(n_processes: int, is_deterministic: bool) -> dict[str, str]:
    """Returns the variables of a process that shares the machine; what is set already stays.

    The threads are divided by variables, for as a part of the configuration they would make
    another run of it. Those within an operation are not where a seed must give the same bits:
    sums are split among them, so that their number shows in the last digits. Where `runtime`
    sets threads, that wins.
    """
    threads = str(max(1, n_cores() // n_processes))
    told = {**dict.fromkeys(THREADS, threads), "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    if not is_deterministic:
        told[THREADS_OF_A_SUM] = threads
    return {name: value for name, value in told.items() if name not in os.environ}


class Worker:
    """A process, and the run it is carrying out."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit TensorFlow's threads
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs,), daemon=True)
        with _starting(variables):
            self.process.start()
        theirs.close()
        self.config = DictConfig({})
        self.n_begun = 0

    def begin(self, config: DictConfig) -> None:
        """Gives the process a run."""
        self.config = config
        self.n_begun += 1
        with suppress(OSError):  # it is dead, which is heard when it is asked
            self.pipe.send(plain(config))

    def death(self) -> str:
        """Returns how the process ended, once its end of the pipe is closed."""
        self.process.join(GRACE_SECONDS)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"its process was ended by signal {-code}"
        return f"its process ended with exit code {code}"


class Pool:
    """Processes that carry out runs, each one run at a time.

    Attributes:
        board: Told of the runs.
        n_processes: At a time.
        runs_per_process: After which a process is replaced, for TensorFlow keeps some of each.
    """

    def __init__(self, board: Board, n_processes: int, runs_per_process: int) -> None:
        self.board = board
        self.n_processes = n_processes
        self.runs_per_process = runs_per_process
        self.busy: dict[int, Worker] = {}  # by lane
        self.idle: list[Worker] = []
        self.leaving: list[Worker] = []

    def carry_out(self, configs: Sequence[DictConfig]) -> None:
        """Carries out runs; whatever happens, no process is left behind."""
        waiting = deque(configs)
        variables = environment(self.n_processes, configs[0].runtime.deterministic)
        try:
            while waiting or self.busy:
                for lane in range(self.n_processes):
                    if waiting and lane not in self.busy:
                        worker = self.idle.pop() if self.idle else Worker(variables)
                        self.busy[lane] = worker
                        self.board.begin(waiting[0], lane)
                        worker.begin(waiting.popleft())
                lanes = {worker.pipe: lane for lane, worker in self.busy.items()}
                for pipe in connection.wait(list(lanes)):
                    self._hear(lanes[pipe], is_last=not waiting)  # type: ignore[index]  # no sockets
        finally:
            self._close()

    def _hear(self, lane: int, is_last: bool) -> None:
        """Takes what a process says, or its death."""
        worker = self.busy[lane]
        try:
            told = worker.pipe.recv()
        except (EOFError, OSError):
            self.leaving.append(self.busy.pop(lane))
            self.board.ended(worker.config, RuntimeError(worker.death()))
            return
        if not isinstance(told, Done | Broken):
            identity, epoch, values = told
            self.board.epoch(identity, epoch, values, lane)
            return
        del self.busy[lane]
        if is_last or worker.n_begun >= self.runs_per_process:
            worker.pipe.close()  # which it takes as its leave
            self.leaving.append(worker)
        else:
            self.idle.append(worker)
        self.board.ended(worker.config, outcome(told))

    def _close(self) -> None:
        """Ends every process: those that carry out a run at once."""
        everyone = [*self.busy.values(), *self.idle, *self.leaving]
        for worker in [*self.busy.values(), *self.idle]:
            worker.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        try:
            for worker in everyone:
                worker.process.join(max(0.0, deadline - time.monotonic()))
        finally:
            for worker in everyone:
                worker.process.kill()
                worker.process.join()


@contextmanager
def _starting(variables: Mapping[str, str]) -> Iterator[None]:
    """Lets a process inherit variables, and that Ctrl-C is not for it, from its first moment."""
    before: Any = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        signal.signal(signal.SIGINT, before)
