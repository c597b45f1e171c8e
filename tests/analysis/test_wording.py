"""Numbers, names and epochs in a sentence."""

import pytest

from steelyard.analysis.explaining.wording import listed, percent, plain, ratio, spans


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.97, "97 %"),
        (0.988, "98.8 %"),
        (0.9991, "99.91 %"),
        (0.99999, "over 99.99 %"),
        (0.0123, "1.2 %"),
        (9.3e-06, "0.00093 %"),
        (1.2, "120 %"),
    ],
)
def test_a_share_keeps_the_digits_that_tell(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (160.4, "160"),
        (1802.9, "1,800"),
        (3.1446e7, "3.14e7"),
        (0.6931, "0.693"),
        (8.3e-06, "8.3e-6"),
        (-0.0, "0"),
    ],
)
def test_a_number_is_short(value: float, said: str) -> None:
    assert plain(value) == said


def test_a_ratio_near_one_shows_on_which_side_it_is() -> None:
    assert (ratio(0.9996), ratio(1.0004), ratio(0.42)) == ("0.9996", "1.0004", "0.42")


def test_names_are_listed_and_many_are_counted() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([f"h{n}" for n in range(9)]) == "h0, h1, h2, h3 and 5 others"


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ([1, 2, 3, 4], "all 4 epochs"),
        ([1], "epoch 1 of 4"),
        ([1, 2, 4], "epochs 1 to 2 and 4 of 4"),
    ],
)
def test_epochs_are_told_as_spans(epochs: list[int], said: str) -> None:
    assert spans(epochs, 4) == said


def test_scattered_epochs_are_counted() -> None:
    assert spans([1, 3, 5, 7, 9], 10) == "5 of 10 epochs"
