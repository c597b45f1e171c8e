"""Made-up posts whose author's age, income bracket and gender can be learned to a known degree."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from steelyard.data.source import PADDING, UNKNOWN, Examples, Input, Source, Split
from steelyard.task import NO_CLASS, Task

HEADS = ("age", "income", "gender")
N_BRACKETS = 10
N_AGE_LEVELS = 20
YOUNGEST, OLDEST = 18.0, 80.0
AGE_SHAPE = (2.0, 3.5)  # of the Beta distribution of ages: mean 40.5, standard deviation 11.7
LEVELS = {"age": N_AGE_LEVELS, "income": N_BRACKETS, "gender": 2}


def _each(value: float) -> Mapping[str, float]:
    return dict.fromkeys(HEADS, value)


@dataclass(frozen=True, kw_only=True)
class PostsSynthetic(Source):
    """Posts in a made-up language, in which some words betray who wrote them.

    Every author has an age (18 to 80 years), one of ten income brackets and a gender, drawn
    independently. Each word of a post betrays head k with probability signal_k: it is then one of
    the `synonyms` words that authors of that level use (an age has 20 levels, and a word may stand
    one level off); any other word is drawn from a vocabulary with Zipf's frequencies. Then the
    labels are made noisy, which no model can undo: the age gets a normal error of noise_age times
    its standard deviation, an income bracket is redrawn with probability noise_income, a gender
    with probability noise_gender.

    Attributes:
        signal: Share of the words that betray each head.
        noise: How much of each label no model can learn; see `ceilings`.
        scale: How large each head's loss is: the age is multiplied by it (and its squared error by
            the square), the other heads' losses are.
        labelled: Share of the training posts that bear each label.
        n_train: Training posts; a quarter as many are held out for each other split.
        vocabulary: Number of different tokens, padding and unknown included.
        synonyms: Words that betray the same thing.
        length: Padded length of a post, in tokens.
        shortest: Words in the shortest post.
        longest: Words in the longest post.
        seed: Draws the language and, with the split's name, the posts.
    """

    signal: Mapping[str, float] = field(default_factory=lambda: _each(0.1))
    noise: Mapping[str, float] = field(default_factory=lambda: _each(0.2))
    scale: Mapping[str, float] = field(default_factory=lambda: _each(1.0))
    labelled: Mapping[str, float] = field(default_factory=lambda: _each(1.0))
    n_train: int = 4096
    vocabulary: int = 2000
    synonyms: int = 8
    length: int = 300
    shortest: int = 40
    longest: int = 120
    seed: int = 0

    def __post_init__(self) -> None:
        for knob in ("signal", "noise", "scale", "labelled"):
            heads = getattr(self, knob)
            if set(heads) != set(HEADS):
                raise ValueError(
                    f"`{knob}` must name the heads {', '.join(HEADS)}, got {', '.join(heads)}."
                )
        if not (min(self.signal.values()) >= 0 and sum(self.signal.values()) <= 1):
            raise ValueError(
                f"`signal` must hold shares of at least 0 that sum to at most 1, got {self.signal}."
            )
        if not all(0 <= noise <= 1 for noise in self.noise.values()):
            raise ValueError(f"`noise` must hold numbers in [0, 1], got {dict(self.noise)}.")
        if not all(scale > 0 for scale in self.scale.values()):
            raise ValueError(f"`scale` must hold positive numbers, got {dict(self.scale)}.")
        if not all(0 < share <= 1 for share in self.labelled.values()):
            raise ValueError(f"`labelled` must hold shares in (0, 1], got {dict(self.labelled)}.")
        if not 1 <= self.shortest <= self.longest <= self.length:
            raise ValueError(
                "`shortest`, `longest` and `length` must rise from 1, got "
                f"{self.shortest}, {self.longest} and {self.length}."
            )
        if self.synonyms < 1:
            raise ValueError(f"`synonyms` must be at least 1, got {self.synonyms}.")
        if self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}.")
        needed = self.synonyms * sum(LEVELS.values()) + 2
        if self.vocabulary < 2 * needed:
            raise ValueError(
                f"`vocabulary` must be at least {2 * needed} for {self.synonyms} synonyms, "
                f"got {self.vocabulary}."
            )
        if self.n_train < 4:  # noqa: PLR2004  a quarter of it is a split
            raise ValueError(f"`n_train` must be at least 4, got {self.n_train}.")

    @property
    def task_names(self) -> tuple[str, ...]:
        return HEADS

    @property
    def fingerprint(self) -> str:
        return ""  # the knobs say all

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return {"text": ("text", self.length)}

    @property
    def inputs(self) -> tuple[Input, ...]:
        text = Input(
            name="text",
            kind="text",
            shape=(self.length,),
            dtype="int32",
            vocabulary=self.vocabulary,
        )
        return (text,)

    @property
    def tasks(self) -> tuple[Task, ...]:
        brackets = tuple(f"bracket_{level}" for level in range(N_BRACKETS))
        scale = self.scale
        return (
            Task(name="age", kind="regression", unit="years"),
            Task(name="income", kind="multiclass", classes=brackets, loss_scale=scale["income"]),
            Task(
                name="gender",
                kind="binary",
                classes=("female", "male"),
                loss_scale=scale["gender"],
            ),
        )

    @property
    def ceilings(self) -> dict[str, float]:
        """The best expected R2 (age), accuracy (income) and AUC (gender) that a model can reach."""
        noise = self.noise
        return {
            "age": 1 / (1 + noise["age"] ** 2),
            "income": 1 - noise["income"] * (1 - 1 / N_BRACKETS),
            "gender": 1 - noise["gender"] / 2,
        }

    def load(self, split: Split) -> Examples:
        n = self.n_train if split == "train" else self.n_train // 4
        rng = np.random.default_rng([self.seed, *split.encode()])
        share = rng.beta(*AGE_SHAPE, size=n)  # of the way from the youngest to the oldest
        levels = {
            "age": np.minimum((share * N_AGE_LEVELS).astype(int), N_AGE_LEVELS - 1),
            "income": rng.integers(N_BRACKETS, size=n),
            "gender": rng.integers(2, size=n),
        }
        tokens = self._write(levels, rng)
        targets = self._label(share, levels, rng)
        if split == "train":
            self._hide(targets, rng)
        return Examples(inputs={"text": tokens}, targets=targets)

    def _write(self, levels: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """Returns the posts [N, length] of authors at these levels [N]."""
        n = len(levels["age"])
        language = np.random.default_rng(self.seed)
        words = language.permutation(np.arange(UNKNOWN + 1, self.vocabulary))
        zipf = 1 / np.arange(1, len(words) + 1)
        tokens = rng.choice(words, p=zipf / zipf.sum(), size=(n, self.length))  # [N, L]

        speaks_of = rng.uniform(size=tokens.shape)
        first, lowest = len(words), 0.0
        for head in HEADS:  # rare words betray: they are taken from the tail of the vocabulary
            first -= LEVELS[head] * self.synonyms
            level = levels[head][:, None] + np.zeros_like(tokens)
            if head == "age":
                level = np.clip(level + rng.integers(-1, 2, size=level.shape), 0, N_AGE_LEVELS - 1)
            synonym = rng.integers(self.synonyms, size=tokens.shape)
            highest = lowest + self.signal[head]
            is_about = (speaks_of >= lowest) & (speaks_of < highest)
            tokens = np.where(is_about, words[first + level * self.synonyms + synonym], tokens)
            lowest = highest

        n_words = rng.integers(self.shortest, self.longest + 1, size=(n, 1))
        return np.where(np.arange(self.length) < n_words, tokens, PADDING).astype("int32")

    def _label(
        self, share: np.ndarray, levels: dict[str, np.ndarray], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Returns the noisy labels [N] of each head."""
        n = len(share)
        a, b = AGE_SHAPE
        deviation = (OLDEST - YOUNGEST) * math.sqrt(a * b / (a + b + 1)) / (a + b)
        age = YOUNGEST + (OLDEST - YOUNGEST) * share
        age = age + self.noise["age"] * deviation * rng.normal(size=n)

        def redrawn(head: str) -> np.ndarray:
            is_noise = rng.uniform(size=n) < self.noise[head]
            return np.where(is_noise, rng.integers(LEVELS[head], size=n), levels[head])

        return {
            "age": (self.scale["age"] * age).astype("float32"),
            "income": redrawn("income").astype("int32"),
            "gender": redrawn("gender").astype("float32"),
        }

    def _hide(self, targets: dict[str, np.ndarray], rng: np.random.Generator) -> None:
        """Takes away the labels that `labelled` says are missing."""
        for head, missing in (("age", np.nan), ("income", NO_CLASS), ("gender", np.nan)):
            targets[head][rng.uniform(size=len(targets[head])) >= self.labelled[head]] = missing
