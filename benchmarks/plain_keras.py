"""The same runs in plain Keras, one after another: `compile(loss_weights=...)` and `fit`.

It is told by `population.py`, as JSON, what to train, and answers with seconds. Network, examples
and optimizer are built from the run's configuration by the parts that Steelyard uses too; what
trains them is Keras alone, without records, curves, measures, or a network that is saved.
"""

import gc
import json
import os
import sys
import time
from typing import Any

import keras
import numpy as np
from omegaconf import DictConfig

from steelyard.cli.compose import composed, composing
from steelyard.construct import construct
from steelyard.data.source import Source
from steelyard.identity import plain, source_of
from steelyard.training import pipeline  # noqa: F401  imported by the others too
from sweeping import QUIET


def main() -> None:
    """Trains, and prints the seconds of reading the data, and of each run."""
    asked = json.loads(sys.argv[1])
    os.environ.update(QUIET)
    with composing():
        configs = [composed(words) for words in asked["runs"]]
    began = time.perf_counter()
    source = source_of(json.dumps(plain(configs[0].data)))
    splits = {
        split: (examples.inputs, scaled(source, examples.targets))
        for split, examples in source.splits.items()
    }
    reading = time.perf_counter() - began
    runs = []
    for config in configs:
        began = time.perf_counter()
        train(config, source, splits, is_whole=asked["is_whole"])
        runs.append(time.perf_counter() - began)
    print(json.dumps({"reading": reading, "runs": runs}))


def scaled(source: Source, targets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns targets as the heads are trained on them."""
    return {task.name: task.scale(targets[task.name]) for task in source.tasks}


def train(config: DictConfig, source: Source, splits: dict[str, Any], *, is_whole: bool) -> None:
    """Trains one model, with a look at the validation split after each epoch.

    Args:
        config: Of the run.
        source: Of its examples.
        splits: Inputs and targets, by split.
        is_whole: Whether an epoch is one execution; otherwise each step is.
    """
    keras.backend.clear_session()
    gc.collect()
    keras.utils.set_random_seed(config.seed)
    network = construct(config.model).build(source.inputs, source.tasks)
    inputs, targets = splits["train"]
    recipe, optimizer = construct(config.training), construct(config.optimizer)
    n_steps = -(-len(next(iter(targets.values()))) // recipe.batch_size)
    recipe.apply_schedule(optimizer, n_steps)
    network.compile(
        optimizer=optimizer,
        loss={task.name: task.keras_loss for task in source.tasks},
        loss_weights={
            task.name: float(config.loss_weights.get(task.name, 1.0)) for task in source.tasks
        },
        steps_per_execution=n_steps if is_whole else 1,
    )
    network.fit(
        inputs,
        targets,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        validation_data=splits["valid"],
        verbose=0,
    )


if __name__ == "__main__":
    main()
