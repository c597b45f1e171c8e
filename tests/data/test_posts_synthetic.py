"""Made-up posts: what each knob turns, what it leaves alone, and the ceilings it promises."""

from typing import Any

import numpy as np
import pytest

from steelyard.data.posts_synthetic import HEADS, PostsSynthetic
from steelyard.data.source import PADDING, SPLITS, UNKNOWN, Examples
from steelyard.task import NO_CLASS

QUIET = dict.fromkeys(HEADS, 0.0)
N_POSTS = 20_000  # of one word each, where labels alone are counted
each_head = pytest.mark.parametrize("head", HEADS)


def posts(**knobs: Any) -> PostsSynthetic:
    small = {"n_train": 256, "length": 60, "shortest": 20, "longest": 50}
    return PostsSynthetic(**{**small, **knobs})


def labels(**knobs: Any) -> dict[str, np.ndarray]:
    """Returns the training labels of many posts of one word."""
    short = {"n_train": N_POSTS, "length": 1, "shortest": 1, "longest": 1}
    return PostsSynthetic(**{**short, **knobs}).load("train").targets


def one_head(head: str, value: float, others: float) -> dict[str, float]:
    return {**dict.fromkeys(HEADS, others), head: value}


def assert_same(one: Examples, other: Examples) -> None:
    for arrays, others in zip(one, other, strict=True):
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name, strict=True)


def words_of(head: str) -> np.ndarray:
    """Returns the words that betray a head, as a post that speaks of nothing else shows them."""
    source = posts(signal=one_head(head, 1.0, 0.0), n_train=1024, shortest=50)
    words = np.unique(source.load("train").inputs["text"])
    return words[words != PADDING]


@pytest.mark.parametrize("split", SPLITS)
def test_the_same_fields_give_the_same_arrays(split: Any) -> None:
    assert_same(posts().load(split), posts().load(split))


@pytest.mark.parametrize("split", SPLITS)
def test_another_seed_gives_other_posts(split: Any) -> None:
    one, other = posts().load(split), posts(seed=1).load(split)
    assert (one.inputs["text"] != other.inputs["text"]).any(axis=1).all()
    assert (one.targets["age"] != other.targets["age"]).all()


def test_splits_share_no_post() -> None:
    rows = [row.tobytes() for split in SPLITS for row in posts().load(split).inputs["text"]]
    assert len(set(rows)) == len(rows)


def test_a_quarter_as_many_posts_are_held_out_for_each_other_split() -> None:
    sizes = [len(posts(n_train=103).load(split).inputs["text"]) for split in SPLITS]
    assert sizes == [103, 25, 25]


def test_arrays_are_what_the_source_says_of_them() -> None:
    source = posts()
    text = source.inputs[0]
    examples = source.load("train")
    tokens = examples.inputs["text"]
    assert tokens.shape == (256, *text.shape)
    assert tokens.dtype == text.dtype
    assert source.input_kinds == {"text": ("text", 60)}
    assert tuple(examples.targets) == source.task_names == tuple(t.name for t in source.tasks)
    assert {name: array.dtype.name for name, array in examples.targets.items()} == {
        "age": "float32",
        "income": "int32",
        "gender": "float32",
    }


def test_a_post_has_as_many_words_as_the_knobs_allow_and_padding_behind_them() -> None:
    tokens = posts(n_train=1024).load("train").inputs["text"]
    is_word = tokens != PADDING
    n_words = is_word.sum(axis=1)
    assert (n_words.min(), n_words.max()) == (20, 50)
    np.testing.assert_array_equal(is_word, np.arange(60) < n_words[:, None])
    assert tokens[is_word].min() > UNKNOWN
    assert tokens.max() < 2000


def test_labels_are_in_their_ranges() -> None:
    found = labels(noise=QUIET)
    assert 18 <= found["age"].min() < 20
    assert 75 < found["age"].max() <= 80
    assert found["age"].mean() == pytest.approx(40.5, abs=0.3)
    assert set(np.unique(found["income"])) == set(range(10))
    assert set(np.unique(found["gender"])) == {0.0, 1.0}


def test_the_words_that_betray_a_head_betray_no_other() -> None:
    betraying = [words_of(head) for head in HEADS]
    assert [len(words) for words in betraying] == [20 * 8, 10 * 8, 2 * 8]
    assert len(np.unique(np.concatenate(betraying))) == 8 * 32


def test_a_word_that_betrays_names_the_level_of_its_author() -> None:
    for head, n_levels in (("income", 1), ("gender", 1), ("age", 4)):
        source = posts(signal=one_head(head, 1.0, 0.0), noise=QUIET, n_train=2048)
        examples = source.load("train")
        label = examples.targets[head]
        level = np.floor((label - 18) / 62 * 20) if head == "age" else label
        first = examples.inputs["text"][:, 0]
        spans = [np.ptp(level[first == word]) for word in np.unique(first)]
        assert max(spans) < n_levels, head


@each_head
def test_signal_turns_how_often_its_head_is_betrayed_and_no_other(head: str) -> None:
    knobs: dict[str, Any] = {"n_train": 1024, "shortest": 50}
    weak = posts(**knobs).load("train")
    strong = posts(**knobs, signal=one_head(head, 0.3, 0.1)).load("train")
    for each in HEADS:
        shares = [
            np.isin(examples.inputs["text"][:, :50], words_of(each)).mean()
            for examples in (weak, strong)
        ]
        gained = 0.2 if each == head else 0.0
        assert shares[1] - shares[0] == pytest.approx(gained, abs=0.01), each
    for name, target in weak.targets.items():
        np.testing.assert_array_equal(target, strong.targets[name])


@pytest.mark.parametrize(("signal", "least", "most"), [(0.0, -0.05, 0.05), (0.1, 0.5, 1.0)])
def test_a_post_says_of_its_author_what_signal_lets_it(
    signal: float, least: float, most: float
) -> None:
    known = posts(signal=one_head("gender", 1.0, 0.0), noise=QUIET, n_train=1024).load("train")
    male = np.unique(known.inputs["text"][known.targets["gender"] == 1, :20])
    told = posts(signal=one_head("gender", signal, 0.1), noise=QUIET, n_train=4096).load("train")
    share = np.isin(told.inputs["text"], male[male != PADDING]).mean(axis=1)
    assert least < np.corrcoef(share, told.targets["gender"])[0, 1] < most


@each_head
def test_noise_turns_its_own_labels_and_nothing_else(head: str) -> None:
    quiet = posts(noise=QUIET).load("train")
    noisy = posts(noise=one_head(head, 0.5, 0.0)).load("train")
    np.testing.assert_array_equal(quiet.inputs["text"], noisy.inputs["text"])
    for each in HEADS:
        is_same = np.array_equal(quiet.targets[each], noisy.targets[each])
        assert is_same == (each != head), each


@each_head
def test_labelled_hides_labels_of_its_head_in_train_and_nothing_else(head: str) -> None:
    whole, partial = posts(n_train=4096), posts(n_train=4096, labelled=one_head(head, 0.25, 1.0))
    for split in ("valid", "test"):
        assert_same(whole.load(split), partial.load(split))
    seen, hidden = whole.load("train"), partial.load("train")
    np.testing.assert_array_equal(seen.inputs["text"], hidden.inputs["text"])
    for task in partial.tasks:
        target = hidden.targets[task.name]
        is_missing = task.is_missing(target)
        share = 0.75 if task.name == head else 0.0
        assert is_missing.mean() == pytest.approx(share, abs=0.03), task.name
        np.testing.assert_array_equal(target[~is_missing], seen.targets[task.name][~is_missing])


def test_a_hidden_bracket_is_no_class() -> None:
    hidden = posts(labelled=one_head("income", 0.25, 1.0)).load("train").targets["income"]
    assert hidden.min() == NO_CLASS


@each_head
def test_scale_multiplies_ages_and_the_losses_of_the_other_heads(head: str) -> None:
    plain, scaled = posts(), posts(scale=one_head(head, 100.0, 1.0))
    one, other = plain.load("train"), scaled.load("train")
    np.testing.assert_array_equal(one.inputs["text"], other.inputs["text"])
    for each in HEADS:
        factor = 100.0 if each == head == "age" else 1.0
        np.testing.assert_allclose(other.targets[each], factor * one.targets[each], rtol=1e-6)
    scales = {task.name: task.loss_scale for task in scaled.tasks}
    assert scales == {each: 100.0 if each == head != "age" else 1.0 for each in HEADS}


@pytest.mark.parametrize("noise", [0.2, 0.7, 1.0])
def test_noisy_labels_agree_with_the_true_ones_as_often_as_the_ceilings_say(noise: float) -> None:
    given = dict.fromkeys(HEADS, noise)
    true, noisy = labels(noise=QUIET), labels(noise=given)
    ceilings = posts(noise=given).ceilings
    explained = np.corrcoef(true["age"], noisy["age"])[0, 1] ** 2
    assert explained == pytest.approx(ceilings["age"], abs=0.015)
    agreeing = np.mean(true["income"] == noisy["income"])
    assert agreeing == pytest.approx(ceilings["income"], abs=0.015)
    male = [np.mean(true["gender"][noisy["gender"] == each]) for each in (0.0, 1.0)]
    auc = np.mean([1 - male[0], male[1]])  # of the true gender, which takes two values
    assert auc == pytest.approx(ceilings["gender"], abs=0.015)


def test_without_noise_a_model_can_learn_everything() -> None:
    assert posts(noise=QUIET).ceilings == {"age": 1.0, "income": 1.0, "gender": 1.0}


@pytest.mark.parametrize("knob", ["signal", "noise", "scale", "labelled"])
def test_refuses_a_knob_that_names_other_heads(knob: str) -> None:
    message = f"`{knob}` must name the heads age, income, gender, got age, wage"
    with pytest.raises(ValueError, match=message):
        PostsSynthetic(**{knob: {"age": 0.1, "wage": 0.1}})


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"signal": one_head("age", 0.9, 0.1)}, "`signal` must hold shares of at least 0 that"),
        ({"signal": one_head("age", -0.1, 0.1)}, "`signal` must hold shares of at least 0 that"),
        ({"noise": one_head("age", 1.5, 0)}, r"`noise` must hold numbers in \[0, 1\], got .*1.5"),
        ({"noise": one_head("age", -1.0, 0)}, r"`noise` must hold numbers in \[0, 1\], got .*-1.0"),
        ({"scale": one_head("income", 0, 1)}, "`scale` must hold positive numbers, got .*: 0"),
        (
            {"labelled": one_head("age", 0, 1)},
            "`labelled` must hold shares in .*, got .*: 0",
        ),
        (
            {"labelled": one_head("age", 2, 1)},
            "`labelled` must hold shares in .*, got .*: 2",
        ),
        (
            {"shortest": 0},
            "`longest` and `length` must rise from 1, got 0, 120 and 300",
        ),
        ({"longest": 30}, "must rise from 1, got 40, 30 and 300"),
        ({"length": 100}, "must rise from 1, got 40, 120 and 100"),
        ({"vocabulary": 515}, "`vocabulary` must be at least 516 for 8 synonyms, got 515"),
        ({"n_train": 3}, "`n_train` must be at least 4, got 3"),
        ({"synonyms": 0}, "`synonyms` must be at least 1, got 0"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
    ],
)
def test_refuses_what_no_posts_can_be_made_from(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PostsSynthetic(**knobs)


def test_takes_the_smallest_sizes_that_it_allows() -> None:
    tiny = PostsSynthetic(n_train=4, vocabulary=516, length=1, shortest=1, longest=1)
    assert [len(tiny.load(split).inputs["text"]) for split in SPLITS] == [4, 1, 1]
