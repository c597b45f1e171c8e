"""The sweeps that contenders are timed on: what is trained, over what, and how much of it."""

from typing import NamedTuple


class Case(NamedTuple):
    """A sweep: what is trained, and over what."""

    about: str
    words: tuple[str, ...]  # of the command line; all else is the experiment's
    epochs: int
    head: str  # whose loss weight is swept; empty where seeds alone are
    weights: tuple[str, ...]
    n_seeds: int

    @property
    def n_runs(self) -> int:
        """How many runs a sweep has."""
        return len(self.weights) * self.n_seeds


WEIGHTS_ALONE = (  # are swept, and nothing that a study sweeps
    "hydra.sweeper.arms=[]",
    "hydra.sweeper.points=null",
    "hydra.sweeper.tuned=[]",
    "optimizer.learning_rate=0.03",
)
CASES = {
    "shared_trunk": Case(
        "diamonds, batch 128, Adam",
        (
            "experiment=diamonds",
            *WEIGHTS_ALONE,
            "model.normalisation=none",
        ),
        20,
        "price",
        tuple(f"{10 ** (-8 + n / 2):.3g}" for n in range(16)),
        3,
    ),
    "shared_trunk_normalised": Case(
        "diamonds, batch 128, Adam, with the layer normalisation that the study has and the "
        "published network has not",
        ("experiment=diamonds", *WEIGHTS_ALONE),
        20,
        "price",
        tuple(f"{10 ** (-8 + n / 2):.3g}" for n in range(16)),
        3,
    ),
    "numbers_and_text": Case(
        "noise, 512 examples, texts of 50 of 2,000 words (published: 100 of 10,000), batch 32, "
        "Adam",
        (
            "experiment=book_numbers_and_text",
            "data.inputs_of.text.shape=[50]",
            "data.inputs_of.text.vocabulary=2000",
            "data.n_train=512",
        ),
        10,
        "",
        ("",),
        16,
    ),
    "question_answering": Case(
        "noise, 1,000 examples, stories of 50 and questions of 20 of 2,000 words (published: 100 "
        "and 100 of 10,000), batch 128, RMSprop",
        (
            "experiment=book_question_answering",
            "data.inputs_of.story.shape=[50]",
            "data.inputs_of.question.shape=[20]",
            "data.inputs_of.story.vocabulary=2000",
            "data.inputs_of.question.vocabulary=2000",
        ),
        10,
        "",
        ("",),
        16,
    ),
    "posts": Case(
        "noise, 512 examples, texts of 300 of 5,000 words, vectors of 64, 64 filters (published: "
        "500 of 50,000, 256, 128 and 256), batch 64, RMSprop",
        (
            "experiment=book_posts",
            "data.inputs_of.text.shape=[300]",
            "data.inputs_of.text.vocabulary=5000",
            "data.n_train=512",
            "model.encoders.text.embedding=64",
            "model.encoders.text.stages=[[64],[64,64],[64,64]]",
        ),
        10,
        "age",
        tuple(f"{10 ** (-4 + n / 3):.3g}" for n in range(16)),
        1,
    ),
}


class Plan(NamedTuple):
    """What is to be measured of a case."""

    case: Case
    n_weights: int
    n_seeds: int
    epochs: int
    sample: int  # runs of the contenders that train one after another; 0 for all

    @property
    def n_runs(self) -> int:
        """How many runs the sweep has."""
        return self.n_weights * self.n_seeds

    @property
    def runs(self) -> list[list[str]]:
        """The command line of each run."""
        return [
            [*self._common, *self._weighed(weight), f"seed={seed}"]
            for weight in self.case.weights[: self.n_weights]
            for seed in range(self.n_seeds)
        ]

    @property
    def sampled(self) -> list[list[str]]:
        """The command lines of the runs that stand for all of a kind, from all over the sweep."""
        runs = self.runs
        n = min(self.sample or len(runs), len(runs))
        return [runs[k * len(runs) // n] for k in range(n)]

    @property
    def sweep(self) -> list[str]:
        """The command line of the sweep."""
        weights = ",".join(self.case.weights[: self.n_weights])
        seeds = ",".join(map(str, range(self.n_seeds)))
        return [*self._common, *self._weighed(weights), f"seed={seeds}"]

    @property
    def _common(self) -> list[str]:
        return [*self.case.words, f"training.epochs={self.epochs}"]

    def _weighed(self, weights: str) -> list[str]:
        return [f"loss_weights.{self.case.head}={weights}"] if self.case.head else []


def planned(case: Case, n_runs: int, epochs: int, sample: int) -> Plan:
    """Returns what is to be measured of a case, cut down to a number of runs and of epochs."""
    n = min(n_runs or case.n_runs, case.n_runs)
    n_seeds = min(case.n_seeds, n)
    return Plan(case, max(n // n_seeds, 1), n_seeds, epochs or case.epochs, sample)
