"""Runs that train together are counted as they come and go, whatever thread they are in."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from steelyard.launch import population
from steelyard.launch.board import Broken
from steelyard.launch.population import Population
from steelyard.training.company import Company
from tests.launch.beside import NOISE, Noted, settings

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
