"""How well a head predicts, in the target's own unit."""

from collections.abc import Iterable

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import f1_score

from steelyard.task import Task

SMALLEST = 1e-7  # of a probability, as in Keras's cross-entropies


def measure(task: Task, targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """Returns a head's measures over the labelled examples; NaN where one is not defined.

    Args:
        task: The head.
        targets: [N], or [N, width], in their own unit.
        outputs: [N, width] of the network.
    """
    known = ~task.is_missing(targets)
    targets, outputs = targets[known], outputs[known].astype("float64")
    if not len(targets):
        return {}
    if not np.isfinite(outputs).all():
        return dict.fromkeys(_MEASURES[task.kind](targets, np.nan_to_num(outputs)), float("nan"))
    if task.kind == "regression":
        outputs = task.unscale(outputs)
    return _MEASURES[task.kind](targets, outputs)


def constant_outputs(task: Task, train: np.ndarray, n: int) -> np.ndarray:
    """Returns the outputs [n, width] of the best constant predictor fitted on targets [N]."""
    best = task.best_constant(train[~task.is_missing(train)])
    return np.tile(best.astype("float32"), (n, 1))


def _regression(targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    errors = outputs[:, 0] - targets
    squared = float(np.mean(errors**2))
    varies = targets.min() < targets.max()  # the variance of equal numbers may be rounded to some
    variance = float(np.var(targets.astype("float64")))
    return {
        "mae": float(np.mean(np.abs(errors))),
        "rmse": squared**0.5,
        "r2": 1 - squared / variance if varies else float("nan"),
    }


def _binary(targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    chances = np.clip(outputs[:, 0], SMALLEST, 1 - SMALLEST)
    has_both = targets.min() < targets.max()
    of_truth = np.where(targets > 0, chances, 1 - chances)
    return {
        "auc": _auc(targets > 0, outputs[:, 0]) if has_both else float("nan"),
        "accuracy": float(np.mean((outputs[:, 0] > 0.5) == (targets > 0.5))),  # noqa: PLR2004
        "log_loss": float(-np.mean(np.log(of_truth))),
    }


def _auc(is_one: np.ndarray, scores: np.ndarray) -> float:
    """Returns the area under the ROC curve: the chance that a one is ranked above a zero.

    It is the Mann-Whitney statistic over the number of pairs (Hanley and McNeil 1982); a tie is
    half a success.
    """
    n_ones = float(is_one.sum())
    above = rankdata(scores)[is_one].sum() - n_ones * (n_ones + 1) / 2
    return float(above / (n_ones * (len(is_one) - n_ones)))


def _multiclass(targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    predicted = outputs.argmax(axis=1)
    of_truth = np.take_along_axis(outputs, targets.astype(int)[:, None], axis=1)[:, 0]
    of_truth = of_truth / np.maximum(outputs.sum(axis=1), SMALLEST)
    return {
        "accuracy": float(np.mean(predicted == targets)),
        "macro_f1": float(f1_score(targets, predicted, average="macro", zero_division=0)),
        "log_loss": float(-np.mean(np.log(np.clip(of_truth, SMALLEST, 1)))),
    }


def _multilabel(targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """Returns the means over the labels of what `_binary` says of each.

    The AUC is the mean over the labels that have both values in the split: one that is the same in
    all of its examples has none. It is NaN only where every label is so.
    """
    each = [_binary(targets[:, k], outputs[:, k : k + 1]) for k in range(targets.shape[1])]
    return {name: _mean_of_known(measures[name] for measures in each) for name in each[0]}


def _box(targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """Returns R2 and absolute error, means over the corners, and the mean overlap of the boxes.

    R2 is the mean over the corners whose target varies in the split, and NaN where none does.
    """
    corners = [_regression(targets[:, k], outputs[:, k : k + 1]) for k in range(targets.shape[1])]
    return {
        "r2": _mean_of_known(each["r2"] for each in corners),
        "mae": float(np.mean([each["mae"] for each in corners])),
        "iou": float(np.mean(overlap(targets.astype("float64"), outputs))),
    }


def _mean_of_known(values: Iterable[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns the intersection over union [N] of boxes [N, 4] given as x1, y1, x2, y2."""

    def area(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.prod(np.maximum(high - low, 0), axis=1)

    shared = area(np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:]))
    whole = area(one[:, :2], one[:, 2:]) + area(other[:, :2], other[:, 2:]) - shared
    return np.where(whole > 0, shared / np.where(whole > 0, whole, 1), 0)


_MEASURES = {
    "regression": _regression,
    "binary": _binary,
    "multiclass": _multiclass,
    "multilabel": _multilabel,
    "box": _box,
}
