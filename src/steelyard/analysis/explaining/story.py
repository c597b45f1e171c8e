"""What a run's record tells of its course: whether it ended well, and who held the gradient."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from steelyard.analysis.explaining.epochs import Row, column, finite, mean
from steelyard.analysis.explaining.told import Head, heads_of

MOST = 2 / 3  # of the gradient: twice as much as all the other heads have together
TIMES_FAIR = 10  # of many heads one holds too much with so many times 1 / K, though not two thirds
MOST_OF_LOSS = 0.9  # shares of the loss say less: of 0.94 were seen where gradients were in balance


class Dominance(NamedTuple):
    """The head that held most, where one did."""

    head: str
    share: float  # mean over the epochs
    most: float  # what counts as holding most
    epochs: list[int]  # those in which it did, counted from 1
    n_epochs: int  # those of which it is known
    of: str  # `gradient` or `loss`

    @property
    def is_lasting(self) -> bool:
        """Whether it did in half of the epochs or more."""
        return 2 * len(self.epochs) >= self.n_epochs


class Pair(NamedTuple):
    """Two heads, and how their gradients lay."""

    heads: tuple[str, str]
    cosines: list[float]  # epoch by epoch
    conflict_rate: float | None  # mean over the epochs

    @property
    def cosine(self) -> float:
        """The mean over the epochs."""
        return statistics.fmean(self.cosines)


@dataclass(frozen=True, kw_only=True)
class Story:
    """A run, as its record tells it.

    Attributes:
        record: All of it.
        history: Its epochs.
        heads: Those that were trained.
        dominance: Who held most, if one did.
        pairs: Of the heads whose gradients were compared.
    """

    record: Mapping[str, Any]
    history: Sequence[Row]
    heads: list[Head]
    dominance: Dominance | None
    pairs: list[Pair]

    @property
    def status(self) -> str:
        """`finished`, `diverged` or `failed`."""
        return str(self.record["status"])

    @property
    def n_epochs(self) -> int:
        """How many epochs are recorded."""
        return len(self.history)

    @property
    def kept_epoch(self) -> int | None:
        """The epoch, counted from 1, whose network was kept."""
        best = self.record.get("best_epoch")
        return None if best is None or best < 0 else int(best) + 1

    @property
    def has_gradients(self) -> bool:
        """Whether the heads' gradients on shared layers were measured."""
        return any(head.shares for head in self.heads)

    @property
    def is_unshared(self) -> bool:
        """Whether no layer is shared by two heads, so that there is no gradient to share."""
        return self.record.get("n_shared_parameters") == 0

    @property
    def untrained(self) -> list[str]:
        """The heads that a loss weight of 0 took out."""
        weights = self.record.get("loss_weights") or {}
        return [head for head, weight in weights.items() if not weight > 0]

    @property
    def unserved(self) -> list[Head]:
        """The heads that are not clearly better than their best constant."""
        return [head for head in self.heads if head.is_served is False]

    @property
    def untold(self) -> list[Head]:
        """The heads of which it cannot be told whether they are better than their best constant."""
        return [head for head in self.heads if head.is_served is None]

    @property
    def method(self) -> str:
        """The name of the weighting."""
        return str(self.record.get("weighting", "fixed"))

    def setting(self, *names: str) -> Any:
        """Returns a value of the configuration, by its names from the outside in; None if none."""
        node: Any = self.record.get("config") or {}
        for name in names:
            node = node.get(name) if isinstance(node, Mapping) else None
        return node

    def pairs_of(self, head: str) -> list[Pair]:
        """Returns the pairs that a head is one of."""
        return [pair for pair in self.pairs if head in pair.heads]


def story_of(
    record: Mapping[str, Any], history: Sequence[Row], tasks: Iterable[Mapping[str, Any]] = ()
) -> Story:
    """Returns what a record tells.

    Args:
        record: Of a run that ended or failed.
        history: Its epochs; may be empty.
        tasks: Its heads' tasks, as `fitted.json` keeps them; may be empty.
    """
    heads = heads_of(record, history, tasks)
    return Story(
        record=record,
        history=history,
        heads=heads,
        dominance=_dominance(heads, is_unshared=record.get("n_shared_parameters") == 0),
        pairs=_pairs(history, [head.name for head in heads]),
    )


def most(n_heads: int) -> float:
    """Returns the share of the gradient above which a head holds most of it."""
    return min(MOST, TIMES_FAIR / n_heads)


def _dominance(heads: Sequence[Head], *, is_unshared: bool) -> Dominance | None:
    if len(heads) < 2 or is_unshared:  # noqa: PLR2004  one head has no rival
        return None
    if any(head.shares for head in heads):
        return _most_held({head.name: head.shares for head in heads}, most(len(heads)), "gradient")
    return _most_held({head.name: head.loss_shares for head in heads}, MOST_OF_LOSS, "loss")


def _most_held(shares: Mapping[str, list[float]], bound: float, of: str) -> Dominance | None:
    """Returns the head that held more than a bound in the most epochs, if one did in any."""
    found = []
    for head, values in shares.items():
        epochs = [n for n, value in enumerate(values, start=1) if value > bound]
        known = finite(values)
        if epochs:
            share = statistics.fmean(known)
            found.append(Dominance(head, share, bound, epochs, len(known), of))
    return max(found, key=lambda each: (len(each.epochs), each.share), default=None)


def _pairs(history: Sequence[Row], names: Sequence[str]) -> list[Pair]:
    columns = {name for row in history for name in row if name.endswith("/cosine")}
    found = []
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            for pair in ((one, other), (other, one)):  # the order is that of the training
                lead = f"train/{pair[0]} and {pair[1]}"
                if f"{lead}/cosine" not in columns:
                    continue
                cosines = finite(column(history, f"{lead}/cosine"))
                rate = mean(column(history, f"{lead}/conflict_rate"))
                if cosines:
                    found.append(Pair(pair, cosines, rate))
    return found


def ratio_of(values: Sequence[float]) -> float | None:
    """Returns the largest of numbers over the smallest that is not zero; None if there is none."""
    known = [value for value in values if value > 0 and math.isfinite(value)]
    return max(known) / min(known) if known else None
