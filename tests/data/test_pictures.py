"""Pictures: the values that are read of them, and the pictures and archives that are refused."""

import io
import re
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from steelyard.data.pictures import opened
from tests.data.photos import NAMES, PLACES, folder, photos, png


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in an empty folder."""
    monkeypatch.chdir(tmp_path)


def levels(picture: bytes, size: tuple[int, int] = (2, 2), channels: int = 1) -> np.ndarray:
    """Returns a picture's pixels [H, W] in grey, or [H, W, 3] in colours."""
    with opened(Path(folder({"a.png": picture}))) as album:
        pixels = album.pixels("a.png", size, channels)
    assert pixels.dtype == np.uint8
    return pixels[..., 0] if channels == 1 else pixels


def every_pixel(place: str) -> None:
    with opened(Path(place)) as album:
        for name in album.names:
            album.pixels(name, (2, 2), 1)


def test_a_picture_that_shrinks_is_the_mean_over_boxes() -> None:
    pixels = [[0, 20, 7, 7], [40, 60, 7, 7], [0, 0, 255, 255], [0, 100, 255, 255]]
    np.testing.assert_array_equal(levels(png(pixels)), [[30, 7], [25, 255]])


def test_a_picture_that_grows_lies_between_its_pixels() -> None:
    found = levels(png([[0, 200]]), size=(1, 4))
    np.testing.assert_array_equal(found, [[0, 50, 150, 200]])


def test_grey_is_luma_and_colours_stay_or_are_three_times_the_grey() -> None:
    colours = png([[[255, 0, 0], [0, 0, 255]]])
    np.testing.assert_array_equal(levels(colours, size=(1, 2)), [[76, 29]])
    found = levels(colours, size=(1, 2), channels=3)
    np.testing.assert_array_equal(found, [[[255, 0, 0], [0, 0, 255]]])
    found = levels(png([[9, 8]]), size=(1, 2), channels=3)
    np.testing.assert_array_equal(found, [[[9, 9, 9], [8, 8, 8]]])


def test_a_jpeg_is_read() -> None:
    file = io.BytesIO()
    PIL.Image.new("RGB", (40, 30), (200, 100, 50)).save(file, "JPEG", quality=95)
    found = levels(file.getvalue(), size=(3, 4), channels=3)
    assert found.shape == (3, 4, 3)
    np.testing.assert_allclose(found, np.broadcast_to([200, 100, 50], (3, 4, 3)), atol=3)


def test_a_picture_is_turned_as_its_camera_says() -> None:
    notes = PIL.Image.Exif()
    notes[0x0112] = 6  # the first column of pixels is the top
    np.testing.assert_array_equal(levels(png([[10, 200]], exif=notes), size=(2, 1)), [[10], [200]])


def test_transparency_is_left_out_and_sixteen_bits_are_their_high_byte() -> None:
    see_through = png([[[50, 50, 50, 0], [90, 90, 90, 255]]])
    np.testing.assert_array_equal(levels(see_through, size=(1, 2)), [[50, 90]])
    palette = PIL.Image.new("P", (2, 1))
    palette.putpalette([3, 3, 3, 6, 6, 6])
    palette.putdata([1, 0])
    file = io.BytesIO()
    palette.save(file, "PNG", transparency=b"\x00\x80")
    np.testing.assert_array_equal(levels(file.getvalue(), size=(1, 2)), [[6, 3]])
    file = io.BytesIO()
    PIL.Image.fromarray(np.array([[0x1280, 0xFFFF]], dtype="uint16")).save(file, "PNG")
    np.testing.assert_array_equal(levels(file.getvalue(), size=(1, 2)), [[0x12, 0xFF]])


@pytest.mark.parametrize("shape", [(1, 4, 2), (1, 4, 2, 1), (1, 4, 2, 3)])
def test_arrays_of_another_size_are_resized_as_pictures_are(shape: tuple[int, ...]) -> None:
    pixels = np.broadcast_to(np.array([0, 10, 20, 40]).reshape(4, *[1] * (len(shape) - 2)), shape)
    np.savez("photos.npz", images=pixels.astype("uint8"), image_id=np.array([7]))
    with opened(Path("photos.npz")) as album:
        assert list(album.names) == ["7"]
        np.testing.assert_array_equal(album.pixels("7", (2, 1), 1)[..., 0], [[5], [30]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no picture", "`photos` must hold BMP or .* images, got 'a.png', which is none"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "got 'a.png', which is none"),
        (b"", "got 'a.png', which is none"),
        (png(np.arange(900).reshape(30, 30) % 251)[:70], "`photos` must hold whole images, got"),
    ],
    ids=["words", "a program that draws", "nothing", "half"],
)
def test_a_picture_that_cannot_be_decoded_is_named(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        levels(content)
    assert "\n" not in str(refusal.value)


def test_numbers_of_no_known_range_are_refused() -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(np.array([[0.5]], dtype="float32")).save(file, "TIFF")
    with pytest.raises(ValueError, match=r"got 'a.png' with an error: its 32 bits a channel"):
        levels(file.getvalue())


@pytest.mark.parametrize("place", PLACES)
def test_the_names_are_those_of_the_pictures(place: str) -> None:
    with opened(Path(photos(place))) as album:
        assert sorted(Path(name).stem for name in album.names) == sorted(NAMES)


@pytest.mark.parametrize("place", PLACES[1:])
def test_a_broken_archive_is_refused(place: str) -> None:
    content = Path(photos(place)).read_bytes()
    for broken in (
        b"",
        b"no archive" * 200,
        content[: len(content) // 2],
        content[: len(content) // 3],
    ):
        Path(place).write_bytes(broken)
        with pytest.raises(ValueError, match=re.escape(place)) as refusal:
            every_pixel(place)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.zeros((2, 3, 3))},
        {"images": np.zeros((2, 3, 3), dtype="uint8")},
        {"images": np.zeros((1, 3), dtype="uint8")},
        {"images": np.zeros((1, 3, 3, 2), dtype="uint8")},
        {"pictures": np.zeros((1, 3, 3), dtype="uint8")},
        {"images": np.array([None])},
    ],
)
def test_arrays_that_are_no_images_are_refused(arrays: dict[str, np.ndarray]) -> None:
    np.savez("photos.npz", image_id=np.array(["a"]), **arrays)  # type: ignore[arg-type]
    message = "`photos.npz` must be a readable .npz file, got an error"
    with pytest.raises(ValueError, match=message):
        every_pixel("photos.npz")
