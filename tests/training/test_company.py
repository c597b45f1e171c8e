"""Runs in company begin an epoch when all have come, whoever leaves, fails or lags behind."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from steelyard import DWA, WeighedModel
from steelyard.data.order import order_of
from steelyard.training.company import Company
from steelyard.training.course import Course
from tests.training.test_stack import BATCH, INPUTS, TARGETS, N, assert_same, model


def go(
    company: Company, course: Course, trained: WeighedModel, seed: int, epochs: Sequence[int]
) -> None:
    """Trains a model as its run would, and leaves."""
    try:
        for epoch in epochs:
            order = order_of(N, seed, epoch)
            company.train(course, trained, INPUTS, TARGETS, order, BATCH)
    finally:
        company.leave()


def beside(
    company: Company,
    trained: Sequence[WeighedModel],
    epochs: Sequence[Sequence[int]],
    course: Course,
) -> list[BaseException | None]:
    """Trains models beside each other, and returns what broke each; the seed is the place."""
    with ThreadPoolExecutor(len(trained)) as threads:
        going = [
            threads.submit(go, company, course, each, seed, epochs[seed])
            for seed, each in enumerate(trained)
        ]
        return [each.exception(timeout=120) for each in going]


@pytest.mark.slow
def test_members_that_leave_early_or_lag_behind_are_what_they_are_alone() -> None:
    """One stops after an epoch, one had done an epoch before, and places are left."""
    trained = [model(seed) for seed in range(4)]
    course = Course()
    go(Company(), course, trained[3], 3, [0])
    company = Company(4, size=6)
    assert beside(company, trained, [[0, 1, 2], [0], [0, 1, 2], [1, 2]], course) == [None] * 4
    assert company.n_members == 0
    for seed, n_epochs in enumerate((3, 1, 3, 3)):
        alone = model(seed)
        go(Company(), course, alone, seed, range(n_epochs))
        assert_same(alone, trained[seed])


def test_what_breaks_a_step_breaks_the_runs_that_took_it_and_no_thread_waits_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(Course, "train_stack", broken)
    found = beside(Company(3, size=3), [model(seed) for seed in range(3)], [[0]] * 3, Course())
    assert [str(each) for each in found] == ["ValueError: no room"] * 3
    assert len({id(each) for each in found}) == 3


def test_models_that_cannot_be_stacked_go_one_by_one_in_the_same_company() -> None:
    trained = [model(seed, DWA()) for seed in (0, 1)]
    assert beside(Company(2, size=2), trained, [[0, 1]] * 2, Course()) == [None] * 2
    for seed, each in enumerate(trained):
        own, course = model(seed, DWA()), Course()
        for epoch in (0, 1):
            course.train(own, INPUTS, TARGETS, order_of(N, seed, epoch), BATCH)
        assert_same(own, each)
    assert not np.array_equal(*(np.array(each.network.weights[0]) for each in trained))


def test_a_member_that_waits_for_a_lock_which_another_holds_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    """Two runs of one key in a company: the second waits until the first is over."""
    company, course = Company(2, size=2), Course()
    trained = [model(0), model(0)]

    def run(n: int) -> None:
        with company.holding(FileLock(tmp_path / "lock")):
            go(company, course, trained[n], 0, [0, 1])

    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(run, n) for n in range(2)]:
            each.result(timeout=120)
    assert_same(*trained)
    assert company.n_members == 0
