"""What holds for a whole process: threads, and whether the same seed gives the same bits."""

import importlib
import os
import tempfile
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

NAMES_OF_SEEDS = ("weights", "order", "method")


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How TensorFlow runs. It is set once a process, so it cannot be swept.

    Attributes:
        intra_op_threads: Threads within an operation; 0 leaves the choice to TensorFlow.
        inter_op_threads: Operations at a time; 0 leaves the choice to TensorFlow.
        deterministic: Whether the same seed gives the same numbers, bit for bit, on one machine.
    """

    intra_op_threads: int = 0
    inter_op_threads: int = 0
    deterministic: bool = True

    def __post_init__(self) -> None:
        for knob in ("intra_op_threads", "inter_op_threads"):
            if getattr(self, knob) < 0:
                raise ValueError(f"`{knob}` must be at least 0, got {getattr(self, knob)}.")

    def prepare(self) -> None:
        """Sets the process up, before the first operation runs.

        Raises:
            ValueError: The process was set up otherwise before.
        """
        if _Prepared.runtime is not None:
            if _Prepared.runtime != self:
                raise ValueError(
                    f"`runtime` must stay what it was in this process, {_Prepared.runtime}, "
                    f"got {self}."
                )
            return
        tf = _tensorflow()
        tf.config.threading.set_intra_op_parallelism_threads(self.intra_op_threads)
        tf.config.threading.set_inter_op_parallelism_threads(self.inter_op_threads)
        if self.deterministic:
            tf.config.experimental.enable_op_determinism()
        _Prepared.runtime = self


def _tensorflow() -> Any:
    """Returns TensorFlow, imported without what its libraries print of themselves."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryFile() as told:
        screen = os.dup(2)
        os.dup2(told.fileno(), 2)
        try:
            tensorflow = importlib.import_module("tensorflow")
            tensorflow.config.list_physical_devices("GPU")  # tells, once, that there is none
        except BaseException:
            told.seek(0)
            os.write(screen, told.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)
    return tensorflow


class _Prepared:
    """How this process was set up."""

    runtime: Runtime | None = None


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """The seeds of a run: those that are not set are drawn from the run's one seed.

    Attributes:
        weights: Of the network's initial weights.
        order: Of the order of examples.
        method: Of a weighting's own draws.
    """

    weights: int | None = None
    order: int | None = None
    method: int | None = None

    def drawn_from(self, seed: int) -> "Seeds":
        """Returns the seeds with each missing one drawn from `seed`."""
        drawn = np.random.SeedSequence(seed).generate_state(len(NAMES_OF_SEEDS))
        fresh = dict(zip(NAMES_OF_SEEDS, map(int, drawn), strict=True))
        given = {name: getattr(self, name) for name in NAMES_OF_SEEDS}
        return replace(
            self, **{name: fresh[name] if value is None else value for name, value in given.items()}
        )
