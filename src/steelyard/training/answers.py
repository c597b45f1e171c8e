"""A trained network asked again: predictions in the targets' own words, and its test once more."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from steelyard.arrays import Named
from steelyard.data.source import Source
from steelyard.task import CORNERS, Task
from steelyard.training.course import LOOK_BATCH, Course
from steelyard.training.judge import Judge


def predict(network: Path, inputs: Named, tasks: Sequence[Task]) -> Named:
    """Returns the columns [N] that a saved network's heads answer with.

    Args:
        network: The saved network.
        inputs: By name.
        tasks: The heads it was trained for.

    Raises:
        ValueError: An input is missing, or has another shape than the network's.
    """
    model = keras.models.load_model(network)
    sizes = {name: len(array) for name, array in inputs.items()}
    if not all(sizes.values()) or len(set(sizes.values())) > 1:
        raise ValueError(f"`inputs` must hold the same examples, at least one, got {sizes}.")
    for each in model.inputs:
        wanted, given = tuple(each.shape[1:]), inputs.get(each.name)
        if (
            given is None
            or len(given.shape) != len(wanted) + 1
            or any(
                size not in (None, found)
                for size, found in zip(wanted, given.shape[1:], strict=True)
            )
        ):
            raise ValueError(
                f"`{each.name}` must be an input of shape {wanted}, got "
                f"{'none' if given is None else given.shape[1:]}."
            )
    for layer in model.layers:
        if isinstance(layer, keras.layers.Embedding):
            _check_levels(layer, inputs)
    outputs = model.predict(inputs, batch_size=LOOK_BATCH, verbose=0)
    columns: Named = {}
    for task in tasks:
        told = answers(task, outputs[task.name])
        both = sorted(columns.keys() & told.keys())
        if both:
            raise ValueError(f"`{task.name}` must make columns of its own, got {both[0]!r} twice.")
        columns |= told
    return columns


def _check_levels(layer: keras.layers.Embedding, inputs: Named) -> None:
    """Refuses tokens that an embedding does not have."""
    name = layer.input.name
    if name not in inputs:
        return
    least, most = int(np.min(inputs[name])), int(np.max(inputs[name]))
    if least < 0 or most >= layer.input_dim:
        raise ValueError(
            f"`{name}` must hold numbers from 0 to {layer.input_dim - 1}, got {least} to {most}."
        )


def answers(task: Task, outputs: np.ndarray) -> Named:
    """Returns a head's outputs [N, width] as columns [N] that a reader understands.

    A number in its unit; a class and its chance; a chance a label; four corners.
    """
    name = task.name
    match task.kind:
        case "regression":
            return {name: task.unscale(outputs[:, 0])}
        case "binary":
            names = np.array(task.classes or ("0", "1"))
            chance = outputs[:, 0]
            return {name: names[(chance > 0.5).astype(int)], f"{name}_chance": chance}  # noqa: PLR2004
        case "multiclass":
            names = np.array(task.classes)
            return {name: names[outputs.argmax(axis=1)], f"{name}_chance": outputs.max(axis=1)}
        case "multilabel":
            pairs = zip(task.classes, outputs.T, strict=True)
            return {f"{name}_{label}_chance": column for label, column in pairs}
    return {f"{name}_{corner}": column for corner, column in zip(CORNERS, outputs.T, strict=True)}


def repeat_test(network: Path, source: Source, trained: Sequence[str]) -> dict[str, float]:
    """Returns the measures of a saved network on the test, as its run measured them.

    Args:
        network: The saved network.
        source: Where its examples came from.
        trained: The heads whose loss weight was not zero.
    """
    judge = Judge(
        tasks=source.tasks,
        examples=source.splits["test"],
        train_targets=source.splits["train"].targets,
        trained=frozenset(trained),
    )
    model = keras.models.load_model(network)
    return judge.measure(
        partial(Course().outputs, model)
    )  # as its run looked: `predict` rounds otherwise


def as_task(told: dict[str, Any]) -> Task:
    """Returns the task that a record tells of."""
    return Task(**{**told, "classes": tuple(told["classes"])})
