"""A search repeats nothing, follows from what it is told, and finds a front that is known."""

import math
from typing import Any

import pytest

from steelyard.construct import Refused
from steelyard.sweep.outcome import means_of
from steelyard.sweep.search import Proposals, Search, Setting

HEADS = ("a", "b", "c")


def losses(setting: Setting) -> list[float] | None:
    """Returns the losses of a made-up run: each head's falls with its share; some break."""
    if setting.weights["c"] < 1e-2:
        return None
    whole = sum(setting.weights.values())
    return [whole / setting.weights[head] for head in HEADS]


def searched(search: Search, n_told: int | None = None) -> Proposals:
    """Returns a search that was gone through, or was stopped after some settings were told."""
    proposals = Proposals(search, HEADS, len(HEADS))
    n_done = 0
    while n_done < search.n_trials:
        for each in proposals.propose(min(search.batch_size, search.n_trials - n_done)):
            if n_told is not None and n_done >= n_told:
                return proposals
            proposals.tell(each, losses(each))
            n_done += 1
    return proposals


def tried(proposals: Proposals) -> list[tuple[Any, ...]]:
    return [tuple(each[1:]) for each in proposals.proposed.values()]


def test_no_setting_is_proposed_twice_and_the_first_is_equal_weights() -> None:
    found = tried(searched(Search(n_trials=30, learning_rate=[1e-3, 1e-1])))
    assert len(found) == len({str(each) for each in found}) == 30
    assert found[0] == ({"a": 1.0, "b": 1.0, "c": 1.0}, 0.01)
    for weights, rate in found:
        assert max(weights.values()) == 1.0
        assert 1e-3 <= rate <= 1e-1
        for head in "bc":
            assert abs(math.log10(weights[head] / weights["a"])) <= 3.01


def test_a_search_that_is_gone_through_again_proposes_the_same() -> None:
    whole = tried(searched(Search(n_trials=24)))
    assert tried(searched(Search(n_trials=24))) == whole
    cut = tried(searched(Search(n_trials=24), n_told=13))
    assert cut == whole[: len(cut)]
    assert len(cut) == 16
    assert tried(searched(Search(n_trials=17)))[:17] == whole[:17]
    assert tried(searched(Search(n_trials=24, seed=1))) != whole


def test_what_repeats_is_drawn_anew_until_nothing_is_left() -> None:
    proposals = Proposals(Search(decades=0.005), ("a", "b"), 2)
    found = proposals.propose(50)
    names = [str(each.weights) for each in found]
    assert len(set(names)) == len(names)
    assert 2 <= len(names) < 50


def test_the_front_is_what_no_other_beats() -> None:
    proposals = Proposals(Search(), ("a", "b"), 2)
    settings = proposals.propose(5)
    told = [[3.0, 1.0], [1.0, 3.0], [3.0, 3.0], None, [2.0, 2.0]]
    for setting, values in zip(settings, told, strict=True):
        proposals.tell(setting, values)
    assert proposals.front() == [
        (settings[1], [1.0, 3.0]),
        (settings[4], [2.0, 2.0]),
        (settings[0], [3.0, 1.0]),
    ]


def test_one_objective_has_one_best() -> None:
    proposals = Proposals(Search(), ("a", "b"), 1)
    for n, setting in enumerate(proposals.propose(4)):
        proposals.tell(setting, [abs(n - 2.0)])
    assert [values for _, values in proposals.front()] == [[0.0]]


def test_a_setting_is_written_as_overrides() -> None:
    setting = Setting(0, {"a": 1.0, "b": 0.02}, 0.003)
    assert setting.overrides(True) == [
        "++loss_weights={a:1,b:0.02}",
        "optimizer.learning_rate=0.003",
    ]
    assert Setting(0, {"a": 1.0, "b": 1.0}, None).overrides(True) == ["++loss_weights={rule:equal}"]


def test_objectives_are_the_heads_losses_unless_told() -> None:
    assert Search().objectives_for("ab") == ["best/a/loss", "best/b/loss"]
    given = ["best/a/mae", "best/score"]
    assert Search(objectives=given).objectives_for("ab") == given


@pytest.mark.parametrize(
    "given",
    [["test/a/loss"], ["best/a/r2"], ["best/loss"], ["best/c/loss"], "best/a/loss", [], ["a"], 3],
)
def test_other_objectives_are_refused(given: Any) -> None:
    with pytest.raises(Refused, match=r"^`hydra.sweeper.objectives` must list"):
        Search(objectives=given).objectives_for("ab")


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"n_trials": 0}, "`hydra.sweeper.n_trials` must be a whole number of at least 1, got 0"),
        ({"batch_size": "all"}, "got 'all'"),
        ({"decades": -1}, "`hydra.sweeper.decades` must be positive and finite, got -1"),
        ({"learning_rate": 0.1}, "must be a list of the least and the largest, got 0.1"),
        ({"learning_rate": [0.1, 0.01]}, "must go from a smaller to a larger, got [0.1, 0.01]"),
        ({"learning_rate": [0, 0.01]}, "must be positive and finite, got 0"),
        ({"seed": None}, "`hydra.sweeper.seed` must be a whole number of at least 0, got None"),
    ],
)
def test_knobs_out_of_range_are_refused(knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        Search(**knobs)
    assert words in str(refused.value)


def test_a_setting_s_objectives_are_means_over_its_seeds() -> None:
    one = {"status": "finished", "best": {"a/loss": 1.0, "score": 4.0}}
    two = {"status": "finished", "best": {"a/loss": 2.0, "score": 8.0}}
    names = ["best/a/loss", "best/score"]
    assert means_of([one, two], names) == [1.5, 6.0]
    for broken in (None, {**two, "status": "diverged"}, {"status": "failed"}):
        assert means_of([one, broken], names) is None
    assert means_of([one, {**two, "best": {"a/loss": None, "score": 1.0}}], names) is None
    with pytest.raises(Refused, match=r"\(best/a/loss, best/score\), got 'best/a/mae'"):
        means_of([one], ["best/a/mae"])
