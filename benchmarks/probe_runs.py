"""The commands behind `probe.py`: what is probed and trained, or read where it is there already."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

ROOT = Path(__file__).parents[1]
STEELYARD = str(Path(sys.executable).with_name("steelyard"))


def tuned_of(system: str) -> list[tuple[str, ...]]:
    """Returns the values that a study tunes for each setting, as overrides; one without if none."""
    path = ROOT / "conf" / "experiment" / f"{system}.yaml"
    sweeper = OmegaConf.select(OmegaConf.load(path), "hydra.sweeper")
    choices = [
        [f"{key}={value}" for value in str(sweeper.params[key]).split(",")]
        for key in sweeper.get("tuned") or []
    ]
    return list(itertools.product(*choices))


def probed(system: str, seed: int, output: Path) -> dict[str, float]:
    """Returns the weights of a probe, which is made if its numbers are not there."""
    path = output / f"{system}-{seed}.json"
    if not path.is_file():
        part = path.with_suffix(".part")
        called("probe", f"experiment={system}", f"seed={seed}", "--output", str(part))
        part.replace(path)
    heads = json.loads(path.read_text(encoding="utf-8"))["heads"]
    return {head: float(values["weight"]) for head, values in heads.items()}


def is_there(system: str, seed: int, output: Path) -> bool:
    """Returns whether a seed's probe and its runs are there already."""
    if not (output / f"{system}-{seed}.json").is_file():
        return False
    weights = probed(system, seed, output)
    return all(recorded(system, seed, weights, each, output) for each in tuned_of(system))


def trained(
    system: str, seed: int, weights: dict[str, float], tuned: Sequence[str], output: Path
) -> dict[str, float]:
    """Returns each head's validation loss of a run, which is trained if its record is not there."""
    found = recorded(system, seed, weights, tuned, output)
    if found is None:
        told = [f"loss_weights.{head}={weight:g}" for head, weight in weights.items()]
        words = [f"experiment={system}", f"seed={seed}", *told, *tuned]
        called("train", *words, "tracker=record", f"output={output}")
        found = recorded(system, seed, weights, tuned, output)
    if found is None:
        raise RuntimeError(f"No run of {system} with seed {seed} finished.")
    return found


def recorded(
    system: str, seed: int, weights: dict[str, float], tuned: Sequence[str], output: Path
) -> dict[str, float] | None:
    """Returns each head's validation loss by the record of a run; None if there is no such run."""
    values = dict(each.split("=") for each in tuned)
    for path in sorted(output.glob("runs/*/record.json")):
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if (record["study"], record["seed"]) != (system, seed) or "best" not in record:
            continue
        config = OmegaConf.create(record["config"])
        is_same = all(
            np.isclose(record["loss_weights"].get(head, np.nan), weight, rtol=1e-5)
            for head, weight in weights.items()
        )
        if is_same and all(OmegaConf.select(config, key) == float(values[key]) for key in values):
            return {head: float(record["best"][f"{head}/loss"]) for head in weights}
    return None


def called(*words: str) -> None:
    """Gives a command as a user would, and stops where it fails."""
    print(f"steelyard {' '.join(words)}", flush=True)
    subprocess.run(
        [STEELYARD, *words],
        check=True,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
    )
