"""A digit on a canvas: where its box is, and what averaging keeps."""

import numpy as np
import pytest

from steelyard.data import canvas
from steelyard.data.canvas import boxes, pooled


def glyph(ink: dict[tuple[int, int], int]) -> np.ndarray:
    """Returns a digit [1, 28, 28] with ink at (row, column)."""
    image = np.zeros((1, 28, 28), dtype="uint8")
    for (row, column), value in ink.items():
        image[0, row, column] = value
    return image


def test_the_box_of_a_digit_at_a_known_place() -> None:
    image = glyph({(3, 10): 1, (5, 12): 255, (4, 19): 7})  # rows 3 to 5, columns 10 to 19
    place = np.array([[7, 20]])  # from the left, from the top
    expected = np.array([[17, 23, 27, 26]]) / 60
    np.testing.assert_allclose(boxes(image, place, 60), expected, rtol=1e-6)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 27), (27, 0), (27, 27), (13, 5)])
def test_the_box_of_one_pixel_is_a_pixel_wide(row: int, column: int) -> None:
    found = boxes(glyph({(row, column): 1}), np.array([[32, 32]]), 60)
    expected = np.array([[32 + column, 32 + row, 33 + column, 33 + row]]) / 60
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.max() <= 1


def test_one_pixel_s_ink_is_averaged_over_its_own_cell() -> None:
    image = glyph({(3, 10): 255})
    averages = pooled(image, np.array([[7, 20]]), 60, 10)  # row 23, column 17 of the canvas
    expected = np.zeros((10, 10))
    expected[23 // 6, 17 // 6] = 1 / 36
    np.testing.assert_allclose(averages.reshape(10, 10), expected, rtol=1e-6)


@pytest.mark.parametrize("side", [1, 5, 10, 60])
@pytest.mark.parametrize("chunk", [1, 7 * 60 * 60, 1 << 25])
def test_averaging_keeps_the_mean_whatever_is_held_at_a_time(
    side: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas, "CHUNK_BYTES", chunk)
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(24, 28, 28)).astype("uint8")
    averages = pooled(images, rng.integers(33, size=(24, 2)), 60, side)
    assert averages.shape == (24, side * side)
    assert averages.dtype == "float32"
    whole = images.astype("float64").sum(axis=(1, 2)) / 255 / 60**2
    np.testing.assert_allclose(averages.astype("float64").mean(axis=1), whole, rtol=1e-5)


def test_averages_are_those_of_canvases_painted_one_by_one() -> None:
    rng = np.random.default_rng(1)
    images = rng.integers(256, size=(5, 28, 28)).astype("uint8")
    places = rng.integers(33, size=(5, 2))
    averages = pooled(images, places, 60, 10)
    for image, (left, top), found in zip(images, places, averages, strict=True):
        sheet = np.zeros((60, 60))
        sheet[top : top + 28, left : left + 28] = image / 255
        cells = [
            sheet[y : y + 6, x : x + 6].mean() for y in range(0, 60, 6) for x in range(0, 60, 6)
        ]
        np.testing.assert_allclose(found, cells, rtol=1e-5, atol=1e-7)
