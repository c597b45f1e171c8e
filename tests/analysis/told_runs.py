"""Records of runs made up by hand, so that what is to be said of them is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

N_EPOCHS = 6


@dataclass(frozen=True, kw_only=True)
class Made:
    """A head as a test wants it: one number for all epochs, or one for each.

    Attributes:
        valid: Its validation loss; that of its best constant is 1.
        norm: The length of its gradient.
        weight: Its loss weight, and the weight that it has in training.
        weights: The weight that it has in training, where that moves.
        train: Its loss in training.
        start: Its loss before the first step.
        kind: Of its task.
    """

    valid: float | Sequence[float] = 0.5
    norm: float | Sequence[float] = 1.0
    weight: float = 1.0
    weights: Sequence[float] = ()
    train: float | Sequence[float] = 0.5
    start: float = 1.0
    kind: str = "binary"
    task: Mapping[str, Any] = field(default_factory=dict)


Told = tuple[dict[str, Any], list[dict[str, float]], list[dict[str, Any]]]


def told(
    heads: Mapping[str, Made],
    *,
    n_epochs: int = N_EPOCHS,
    cosine: float | Sequence[float] = 0.0,
    conflict_rate: float = 0.5,
    has_gradients: bool = True,
    **record: Any,
) -> Told:
    """Returns a record, its history and its tasks; `record` overrides what the record holds."""
    trained = {name: made for name, made in heads.items() if made.weight > 0}
    history = []
    for n in range(n_epochs):
        row = {"epoch": float(n)}
        weights = {name: _at(made.weights or made.weight, n) for name, made in trained.items()}
        lengths = {name: _at(made.norm, n) * weights[name] for name, made in trained.items()}
        for name, made in heads.items():
            row[f"train/{name}/loss"] = _at(made.train, n)
            row[f"train/{name}/weight"] = weights.get(name, 0.0)
            row[f"valid/{name}/loss"] = _at(made.valid, n)
            if has_gradients and name in trained:
                row[f"train/{name}/gradient_norm"] = _at(made.norm, n)
                row[f"train/{name}/gradient_share"] = lengths[name] / sum(lengths.values())
        if has_gradients:
            for one, other in combinations(trained, 2):
                row[f"train/{one} and {other}/cosine"] = _at(cosine, n)
                row[f"train/{one} and {other}/conflict_rate"] = conflict_rate
        row["valid/score"] = sum(_at(made.valid, n) for made in trained.values()) / len(trained)
        history.append(row)
    scores = [row["valid/score"] for row in history]
    best = scores.index(min(scores)) if scores else -1
    found: dict[str, Any] = {
        "status": "finished",
        "run_key": "0123456789abcdef",
        "name": "made-0",
        "study": "scratch",
        "seed": 0,
        "weighting": "fixed",
        "config": {"training": {"diagnose_every": 50, "patience": 2}, "loss_weights": {}},
        "loss_weights": {name: made.weight for name, made in heads.items()},
        "start": {name: made.start for name, made in heads.items()},
        "constant": dict.fromkeys(heads, 1.0),
        "constant_valid": dict.fromkeys(heads, 1.0),
        "n_shared_parameters": 100,
        "best_epoch": best,
        "best": {f"{name}/loss": _at(made.valid, best) for name, made in heads.items()},
        "test": {f"{name}/auc": 0.75 for name in heads},
        "alarms": [],
    }
    tasks = [{"name": name, "kind": made.kind, **made.task} for name, made in heads.items()]
    return found | record, history, tasks


def _at(value: float | Sequence[float], n: int) -> float:
    return value[n] if isinstance(value, Sequence) else value
