"""Runs that train together are counted as they come and go, whatever thread they are in."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from omegaconf import DictConfig

from steelyard.launch import population
from steelyard.launch.board import Broken
from steelyard.launch.crew import Crew
from steelyard.launch.population import Population
from steelyard.run import Failed
from steelyard.tracking.record import RunFolder
from steelyard.training.company import Company
from steelyard.training.course import Course
from tests.launch.beside import NOISE, Noted, key_of, settings

SMALL = (*NOISE, "model.trunk=[16]")  # whose runs can be stacked


class Slow(Noted):
    """A board that takes a while: what can end at once has ended before the next run begins."""

    def begin(self, config: DictConfig, lane: int = 0) -> None:
        time.sleep(0.05)


def test_a_group_whose_first_run_ends_at_once_counts_all_that_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    companies: set[Company] = set()

    def ends_at_once(told: Mapping[str, Any], watch: Any, company: Company) -> Broken:
        companies.add(company)
        company.leave()
        return Broken("no")

    monkeypatch.setattr(population, "answer", ends_at_once)
    configs = [settings(tmp_path, *SMALL, f"seed={seed}") for seed in range(3)]
    Population(Slow(), n_together=1, memory_gib=0).carry_out(configs)
    (company,) = companies
    assert company.n_members == 0


def test_a_stack_that_cannot_be_made_breaks_every_run_that_was_to_be_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(Course, "stack", broken)
    board = Noted()
    configs = [settings(tmp_path, *SMALL, f"seed={seed}") for seed in range(3)]
    Population(board, n_together=1, memory_gib=0).carry_out(configs)
    assert len(board.outcomes) == 3
    for each in board.outcomes.values():
        assert isinstance(each, Failed)
        assert each.why == "RuntimeError: MemoryError: no room"


def test_a_stop_does_not_wait_for_a_run_that_another_process_trains(tmp_path: Path) -> None:
    """Two runs end, at which the command is stopped; the third is someone else's, who is slow."""
    configs = [settings(tmp_path, *NOISE, "optimizer=sgd", f"seed={seed}") for seed in range(3)]
    held = FileLock(RunFolder(tmp_path, key_of(configs[2])).lock().lock_file, thread_local=False)
    held.acquire()
    patience = threading.Timer(60, held.release)  # or a fault would be a test that never ends
    patience.start()
    with pytest.raises(KeyboardInterrupt):
        Population(Noted(fail_at=2), n_together=3, memory_gib=0).carry_out(configs)
    patience.cancel()
    assert held.is_locked
    held.release()
    assert {path.parent.name for path in tmp_path.glob("runs/*/config.yaml")} == {
        key_of(each) for each in configs[:2]
    }


def test_a_member_that_comes_after_a_stop_does_not_begin(tmp_path: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    crew = Crew(1, 1, stopping)
    with pytest.raises(KeyboardInterrupt):
        crew.come()
    lock = FileLock(tmp_path / "lock")
    with pytest.raises(KeyboardInterrupt), crew.holding(lock):
        raise AssertionError
    assert not lock.is_locked
    assert crew.n_members == 1
