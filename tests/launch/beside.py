"""Small runs to train beside each other, and a board that keeps what it is told of them."""

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from steelyard.cli.compose import composed, composing
from steelyard.cli.validate import without_hydra
from steelyard.identity import identify, plain, source_of
from steelyard.launch.population import Population
from steelyard.run import Done
from steelyard.tracking.record import RunFolder
from steelyard.tracking.tracker import Identity

NUMBERS = (
    "{n: {_target_: steelyard.data.noise.NoiseInput, kind: numeric, shape: [4], vocabulary: 0}}"
)
HEADS = ", ".join(
    f"{name}: {{_target_: steelyard.data.noise.NoiseTask, kind: {kind}, n_classes: {n}, loss: ''}}"
    for name, kind, n in (("a", "regression", 0), ("b", "binary", 0), ("c", "multiclass", 3))
)
NOISE = (  # three heads on four numbers: the least that every method can weigh
    "data=noise",
    f"++data.inputs_of={NUMBERS}",
    f"++data.tasks_of={{{HEADS}}}",
    "data.n_train=32",
    "model=shared_trunk",
    "model.encoders.numeric.units=[]",
    "model.trunk=[4]",
    "training.batch_size=8",
    "training.epochs=2",
    "training.diagnose_every=0",
)


class Noted:
    """A board that keeps what it is told."""

    def __init__(self, fail_at: int = -1) -> None:
        self.lanes: list[int] = []
        self.n_epochs: Counter[str] = Counter()
        self.outcomes: dict[str, Done | Exception] = {}
        self.threads: set[int] = set()
        self.fail_at = fail_at

    def begin(self, config: DictConfig, lane: int = 0) -> None:
        self.lanes.append(lane)

    def epoch(
        self, identity: Identity, epoch: int, values: Mapping[str, float], lane: int = 0
    ) -> None:
        self.n_epochs[identity.name] += 1
        self.threads.add(threading.get_ident())

    def ended(self, config: DictConfig, outcome: Done | Exception) -> None:
        self.outcomes[f"{config.output}-{config.seed}-{len(self.outcomes)}"] = outcome
        if len(self.outcomes) == self.fail_at:
            raise KeyboardInterrupt


def settings(output: Path, *words: str) -> DictConfig:
    with composing():
        config = without_hydra(composed([*words, "tracker=record", f"output={output}"]))
    key_of(config)  # as a command does: Python cannot parse in several threads at a time
    return config


def key_of(config: DictConfig) -> str:
    told = plain(config)
    return identify(told, source_of(json.dumps(told["data"]))).key


def told(output: Path, record: Mapping[str, Any]) -> Any:
    """Returns what a run says of itself, without what the clock and the folder say."""
    beside = ("seconds", "machine", "git_commit")
    kept = {name: value for name, value in record.items() if name not in beside}
    return kept, RunFolder(output, record["run_key"]).history()


def together(
    output: Path,
    sweep: Sequence[Sequence[str]],
    board: Noted | None = None,
    n_together: int = 0,
) -> dict[str, Any]:
    """Returns what runs say that trained beside each other, by their keys.

    Each has a place of its own unless there are fewer: in one place, small runs go in a stack.
    """
    board = board or Noted()
    configs = [settings(output, *words) for words in sweep]
    Population(board, n_together or len(sweep), memory_gib=0).carry_out(configs)
    found = {}
    for each in board.outcomes.values():
        assert isinstance(each, Done), each
        assert each.is_new
        found[each.record["run_key"]] = told(output, each.record)
    assert len(found) == len(sweep)
    return found
