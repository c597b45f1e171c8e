"""What settings of an optimizer must be, beside what Keras itself asks of them."""

from collections.abc import Mapping
from typing import Any

from steelyard.construct import Refused

EMBEDDED = ("text", "category")  # kinds of input


def check_optimizer(given: Mapping[str, Any], kinds: Mapping[str, tuple[str, int]]) -> None:
    """Refuses settings that would break a run, or be recorded and change nothing.

    Raises:
        Refused: The rate is not positive, averages of the variables would never be used, or the
            gradients of embeddings, which are rows, would have to be divided.
    """
    rate = given.get("learning_rate", 1.0)
    if isinstance(rate, int | float) and rate <= 0:
        raise Refused(f"`optimizer.learning_rate` must be positive, got {rate}.")
    # Without the frequency Keras overwrites at the end of `fit`, which is not how runs are trained.
    if given.get("use_ema") and not given.get("ema_overwrite_frequency"):
        raise Refused(
            "`optimizer.ema_overwrite_frequency` must be given where `optimizer.use_ema` is true, "
            "got nothing."
        )
    embedded = [name for name, (kind, _) in kinds.items() if kind in EMBEDDED]
    if given.get("loss_scale_factor") is not None and embedded:
        raise Refused(
            "`optimizer.loss_scale_factor` must be left out where inputs are embedded "
            f"({', '.join(embedded)}), got {given['loss_scale_factor']}."
        )
