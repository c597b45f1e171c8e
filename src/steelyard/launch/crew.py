"""The company of a population: its members share threads, and a stop of the sweep reaches them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from filelock import FileLock, Timeout

from steelyard.arrays import Named
from steelyard.training.company import Call, Company


class Crew(Company):
    """A company in which a thread that is done with one member may take on the next.

    Args:
        n_members: Runs that are to come.
        size: Room in the stack of their models.
        stopping: Set when the sweep is stopped. A member that trains sees it when its epoch ends,
            which leaves a checkpoint; one that has not begun sees it here.
    """

    def __init__(self, n_members: int, size: int, stopping: threading.Event) -> None:
        super().__init__(n_members, size)
        self.stopping = stopping

    def come(self) -> None:
        """Is told that a member begins in this thread, which may have served one that has left.

        Raises:
            KeyboardInterrupt: The sweep is being stopped.
        """
        with self.met:
            self.gone.discard(threading.get_ident())
        self._check_stop()

    @contextmanager
    def holding(self, lock: FileLock) -> Iterator[None]:
        """Holds a run's lock, as any company does, but does not wait for it beyond a stop.

        Raises:
            KeyboardInterrupt: The sweep is being stopped.
        """
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.expect_fewer(1)
            try:
                lock.acquire(cancel_check=self.stopping.is_set)
            except Timeout as error:
                raise KeyboardInterrupt from error
            finally:
                self.expect_fewer(-1)
        try:
            self._check_stop()
            yield
        finally:
            lock.release()

    def _train(self, calls: Sequence[Call], inputs: Named, targets: Named, batch_size: int) -> None:
        """Trains models for an epoch; what breaks before their steps is an error of each of them.

        It would else be the leader's alone, and the others would go on as if they were trained.
        """
        try:
            super()._train(calls, inputs, targets, batch_size)
        except Exception as error:
            for each in calls:
                each.error = each.error or error

    def _check_stop(self) -> None:
        if self.stopping.is_set():
            raise KeyboardInterrupt
