"""How good the heads of a network are on a split, each measured against its best constant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np

from steelyard.arrays import Named
from steelyard.data.source import Examples
from steelyard.task import Task
from steelyard.training.heads import errors
from steelyard.training.measure import constant_outputs, measure

Predict = Callable[[Named], Mapping[str, np.ndarray]]  # inputs by name to outputs by head


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Measures a network's heads on a split, each in units of its best constant predictor.

    A head's score is its loss over that of the best constant fitted on train: 1 is no better than
    the constant, and units cancel. The score of the network is the mean over the heads that train.
    """

    tasks: tuple[Task, ...]
    examples: Examples
    train_targets: Mapping[str, np.ndarray]
    trained: frozenset[str]  # the heads whose loss weight is not zero

    def measure(self, predict: Predict) -> dict[str, float]:
        """Returns `<head>/<measure>` for each head, and `score`."""
        return self.judge(predict(self.examples.inputs))

    def judge(self, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Returns the measures of outputs [N, width] by head."""
        values, scores = {}, []
        for task in self.tasks:
            targets, output = self.examples.targets[task.name], outputs[task.name]
            loss = mean_loss(task, targets, output)
            values[f"{task.name}/loss"] = loss
            for name, value in measure(task, targets, output).items():
                values[f"{task.name}/{name}"] = value
            if task.name in self.trained and not np.isnan(loss):
                scores.append(loss / self.constant_losses[task.name])
        values["score"] = float(np.mean(scores)) if scores else float("nan")
        return values

    @cached_property
    def constant_losses(self) -> dict[str, float]:
        """The loss on this split of each head's best constant fitted on train."""
        found = {}
        for task in self.tasks:
            targets = self.examples.targets[task.name]
            outputs = constant_outputs(task, self.train_targets[task.name], len(targets))
            found[task.name] = mean_loss(task, targets, outputs)
        return found


def mean_loss(task: Task, targets: np.ndarray, outputs: np.ndarray) -> float:
    """Returns a head's mean loss over the labelled examples; NaN where there are none."""
    known = ~task.is_missing(targets)
    if not known.any():
        return float("nan")
    scaled = task.scale(targets[known])
    scaled = scaled[:, None] if scaled.ndim == 1 else scaled
    each = keras.ops.convert_to_numpy(errors(task.keras_loss, scaled, outputs[known]))
    return float(task.loss_scale * np.mean(each.astype("float64")))
