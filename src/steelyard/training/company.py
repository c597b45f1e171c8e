"""Runs that go in company: where their models are small, they take their steps together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from steelyard.arrays import Array, Named
    from steelyard.training.course import Course
    from steelyard.training.stack import Stack
    from steelyard.training.weighed_model import WeighedModel


@dataclass(kw_only=True, eq=False)
class Call:
    """A model that is to be trained for an epoch."""

    course: Course
    model: WeighedModel
    order: Array
    is_over: bool = False
    error: Exception | None = None

    @property
    def age(self) -> tuple[int, int]:
        """What models must share to take their steps together: their make, and how far they are."""
        return id(self.course), int(self.model.optimizer.iterations)


class Company:
    """Some runs, each in a thread of its own; an epoch begins when all of them have come to it.

    Args:
        n_members: Runs that are to come.
        size: Room in the stack of their models; that of all companies of a sweep is best the same,
            for then one tracing serves them all.
    """

    def __init__(self, n_members: int = 1, size: int = 1) -> None:
        self.n_members, self.size = n_members, size
        self.met = threading.Condition()
        self.waiting: list[Call] = []
        self.stacks: dict[Course, Stack | None] = {}
        self.gone: set[int] = set()  # the threads of those who have left

    def train(
        self,
        course: Course,
        model: WeighedModel,
        inputs: Named,
        targets: Named,
        order: Array,
        batch_size: int,
    ) -> None:
        """Trains a model for an epoch, beside those of the other members.

        Raises:
            RuntimeError: It could not be trained.
        """
        call = Call(course=course, model=model, order=order)
        with self.met:
            self.waiting.append(call)
            self.met.notify_all()
            self.met.wait_for(lambda: call.is_over or self._leads(call))
            if not call.is_over:
                calls, self.waiting = self.waiting, []
                try:
                    self._train(calls, inputs, targets, batch_size)
                finally:  # whatever happens, no thread waits on
                    for each in calls:
                        each.is_over = True
                    self.met.notify_all()
        if call.error is not None:  # each thread raises one of its own, for it gains a traceback
            raise RuntimeError(f"{type(call.error).__name__}: {call.error}") from call.error

    def leave(self) -> None:
        """Is told, once or more often, that the member of this thread comes no more."""
        with self.met:
            if threading.get_ident() not in self.gone:
                self.gone.add(threading.get_ident())
                self._count(-1)

    def expect_fewer(self, n_members: int) -> None:
        """Is told that some members will never come."""
        with self.met:
            self._count(-n_members)

    @contextmanager
    def holding(self, lock: FileLock) -> Iterator[None]:
        """Holds a run's lock; while another holds it, the other members do not wait for this one.

        They might wait for ever: the other may be one of them.
        """
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.expect_fewer(1)
            try:
                lock.acquire()
            finally:
                self.expect_fewer(-1)
        try:
            yield
        finally:
            lock.release()

    def _count(self, n_more: int) -> None:
        self.n_members += n_more
        self.met.notify_all()

    def _leads(self, call: Call) -> bool:
        return len(self.waiting) >= self.n_members and self.waiting[0] is call

    def _train(self, calls: Sequence[Call], inputs: Named, targets: Named, batch_size: int) -> None:
        for alike in _of_one_age(calls):
            course = alike[0].course
            if course not in self.stacks:
                self.stacks[course] = course.stack(alike[0].model, self.size)
            stack = self.stacks[course]
            together = [alike] if stack is not None else [[each] for each in alike]
            for some in together:
                try:
                    _take_steps(stack, some, inputs, targets, batch_size)
                except Exception as error:
                    for each in some:
                        each.error = error


def _take_steps(
    stack: Stack | None, calls: Sequence[Call], inputs: Named, targets: Named, batch_size: int
) -> None:
    course, models = calls[0].course, [each.model for each in calls]
    orders = [each.order for each in calls]
    if stack is None:
        course.train(models[0], inputs, targets, orders[0], batch_size)
    else:
        course.train_stack(stack, models, inputs, targets, orders, batch_size)


def _of_one_age(calls: Sequence[Call]) -> list[list[Call]]:
    found: dict[tuple[int, int], list[Call]] = {}
    for call in calls:
        found.setdefault(call.age, []).append(call)
    return list(found.values())
