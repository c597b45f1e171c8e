"""Made-up regression tasks on one hidden signal, with a dial for each way they can be unequal."""

import math
from dataclasses import dataclass

import numpy as np

from steelyard.data.source import Examples, Input, Source, Split
from steelyard.task import Task

N_HIDDEN = 16  # numbers in the hidden signal; each of the two inputs shows half of them
SPREAD = math.sqrt(0.394294490397841)  # of tanh(z) for a standard normal z
RIGHT_ANGLE = 90.0
ONE_PAIR = 2


@dataclass(frozen=True, kw_only=True)
class Dials(Source):
    """Synthetic tasks whose imbalance is known, because it was set.

    Every example has a hidden vector z of standard normal numbers, and each of the two inputs
    shows one half of it, so a model needs both. The target of task k is

        y_k = scale_k * (s_k + noise_k * e_k),    s_k = <u_k, tanh(z)> / d,    e_k ~ N(0, 1)

    where u_k is a direction of length one, drawn at random and at right angles to the others, and
    d the standard deviation of tanh(z), so that every signal s_k has variance 1. All signals are
    functions of the inputs: whatever the dials, one network can reach the ceilings of all tasks at
    once, with squared errors of (scale_k * noise_k)^2. Where a head stays below its ceiling, it is
    for want of examples, of capacity or of weight, and not because the tasks exclude each other.

    Each dial has one entry per task; a task that is even with the others has scale 1, noise 0 and
    labelled 1.

    Attributes:
        scale: How large the targets are; the squared error grows with its square.
        noise: How much of a target no model can learn, in standard deviations of its signal.
        labelled: Share of the training examples that bear the target.
        angle: Degrees between the directions of two tasks; its cosine is the correlation of their
            signals: 0 makes them one, 180 opposite. It turns `task_1` alone. Any other number of
            tasks has 90 between each two.
        n_train: Training examples; a quarter as many are held out for each other split.
        seed: Draws the directions and, with the split's name, the examples.
    """

    scale: tuple[float, ...] = (1.0, 1.0)
    noise: tuple[float, ...] = (0.0, 0.0)
    labelled: tuple[float, ...] = (1.0, 1.0)
    angle: float = RIGHT_ANGLE
    n_train: int = 4096
    seed: int = 0

    def __post_init__(self) -> None:
        n_tasks = len(self.scale)
        if not n_tasks == len(self.noise) == len(self.labelled):
            raise ValueError(
                "`scale`, `noise` and `labelled` must have one entry per task each, got "
                f"{n_tasks}, {len(self.noise)} and {len(self.labelled)} entries."
            )
        if not 1 <= n_tasks <= N_HIDDEN:
            raise ValueError(f"`scale` must have 1 to {N_HIDDEN} entries, got {n_tasks}.")
        if not all(0 < scale < math.inf for scale in self.scale):
            raise ValueError(f"`scale` must hold positive numbers, got {list(self.scale)}.")
        if not all(0 <= noise < math.inf for noise in self.noise):
            raise ValueError(f"`noise` must hold numbers of at least 0, got {list(self.noise)}.")
        if not all(0 < share <= 1 for share in self.labelled):
            raise ValueError(f"`labelled` must hold shares in (0, 1], got {list(self.labelled)}.")
        if not 0 <= self.angle <= 2 * RIGHT_ANGLE:
            raise ValueError(f"`angle` must be in [0, 180] degrees, got {self.angle}.")
        if n_tasks != ONE_PAIR and self.angle != RIGHT_ANGLE:
            raise ValueError(
                f"`angle` must be 90 unless there are two tasks, got {self.angle} for {n_tasks}."
            )
        if self.n_train < 4:  # noqa: PLR2004  a quarter of it is a split
            raise ValueError(f"`n_train` must be at least 4, got {self.n_train}.")
        if self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}.")

    @property
    def task_names(self) -> tuple[str, ...]:
        return tuple(f"task_{k}" for k in range(len(self.scale)))

    @property
    def fingerprint(self) -> str:
        return ""  # the knobs say all

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return {each.name: (each.kind, each.length) for each in self.inputs}

    @property
    def inputs(self) -> tuple[Input, ...]:
        half = (N_HIDDEN // 2,)
        return tuple(Input(name=name, kind="numeric", shape=half) for name in ("left", "right"))

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=name, kind="regression") for name in self.task_names)

    @property
    def ceilings(self) -> dict[str, float]:
        """The best expected R2 of each head: the share of its variance that is signal."""
        shares = [1 / (1 + noise**2) for noise in self.noise]
        return dict(zip(self.task_names, shares, strict=True))

    def directions(self) -> np.ndarray:
        """Returns the tasks' directions u_k, of length one, as columns [16, K]."""
        rng = np.random.default_rng(self.seed)
        directions = np.linalg.qr(rng.normal(size=(N_HIDDEN, len(self.scale)))).Q
        if len(self.scale) == ONE_PAIR:
            turn = math.radians(self.angle)
            first, across = directions.T
            directions[:, 1] = math.cos(turn) * first + math.sin(turn) * across
        return directions

    def load(self, split: Split) -> Examples:
        n = self.n_train if split == "train" else self.n_train // 4
        rng = np.random.default_rng([self.seed, *split.encode()])
        hidden = rng.normal(size=(n, N_HIDDEN))
        signals = np.tanh(hidden) @ self.directions() / SPREAD  # [N, K]
        errors = rng.normal(size=signals.shape)
        targets = np.array(self.scale) * (signals + np.array(self.noise) * errors)
        if split == "train":
            targets[rng.uniform(size=targets.shape) >= np.array(self.labelled)] = np.nan
        left, right = np.split(hidden.astype("float32"), 2, axis=1)
        columns = targets.T.astype("float32")  # [K, N]
        return Examples(
            inputs={"left": left, "right": right},
            targets=dict(zip(self.task_names, columns, strict=True)),
        )
