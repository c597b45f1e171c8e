"""Images: what is read and from where, the cache, and what is refused."""

import hashlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from steelyard.data.image import CACHE, Image
from steelyard.data.source import SPLITS
from tests.data.photos import NAMES, PLACES, folder, photos, png, shades, tar
from tests.data.tables import AGE, frame, rows_of, table_of


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in an empty folder, with no folder of one's own: the cache is made there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEELYARD_DATA", raising=False)


def column(images: str = "photos", **knobs: Any) -> Image:
    return Image(**{"column": "photo", "images": images, "suffix": ".png", "size": (2, 2), **knobs})


def read(image: Image, *names: Any) -> np.ndarray:
    return image.read("it", pd.DataFrame({"photo": list(names)}), {})


@pytest.mark.parametrize("place", PLACES)
def test_folder_and_archives_agree_and_each_row_has_its_own_image(place: str) -> None:
    image = column(photos(place), size=(3, 2))
    table = table_of(Path(), frame(photo=NAMES), inputs_from={"it": image}, tasks_from={"age": AGE})
    described = table.inputs[0]
    assert (described.kind, described.shape, described.dtype) == ("image", (3, 2, 1), "float32")
    for split in SPLITS:
        expected = np.stack([shades()[NAMES[row]] for row in rows_of(table, split)]) / 255
        found = table.load(split).inputs["it"]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found[..., 0], expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["a/1.png", "photos/a/1.png", "/home/me/photos/a/1.png"])
def test_the_longer_of_two_paths_ends_with_the_shorter(name: str) -> None:
    folder({"a/1.png": png([[10]]), "b/1.png": png([[20]]), "2.png": png([[30]])})
    image = column(suffix="", size=(1, 1))
    np.testing.assert_allclose(read(image, name, "x/2.png").ravel() * 255, [10, 30], rtol=1e-6)
    with pytest.raises(ValueError, match=r"must have an image in 'photos' .* got 'c/1.png'"):
        read(image, "c/1.png")


def test_a_name_that_may_be_either_of_two_images_is_refused() -> None:
    folder({"a/1.png": png([[10]]), "b/1.png": png([[20]])})
    message = "which image of 'photos' is meant, got '1.png', which may be 'a/1.png' or 'b/1.png'"
    with pytest.raises(ValueError, match=message):
        read(column(), 1)


def test_several_rows_may_show_one_image() -> None:
    folder({"a.png": png([[10]]), "b.png": png([[20]])})
    found = read(column(size=(1, 1)), "b", "a", "b").ravel() * 255
    np.testing.assert_allclose(found, [20, 10, 20], rtol=1e-6)


@pytest.mark.parametrize("place", PLACES)
def test_rows_without_an_image_are_refused_or_dropped(place: str) -> None:
    photos(place)
    named: list[str | None] = [*NAMES[:50], *(f"lost{n}" for n in range(9)), None]
    options: dict[str, Any] = {"tasks_from": {"age": AGE}}
    table = table_of(Path(), frame(photo=named), inputs_from={"it": column(place)}, **options)
    message = (
        f"`it` must have an image in '{place}' for each row, got 'lost0' in row 52 of the file "
        r"\(10 such rows\); mind `suffix`, or drop them with `skip_missing`."
    )
    with pytest.raises(ValueError, match=message):
        table.load("train")
    image = column(place, skip_missing=True, size=(3, 2))
    table = table_of(Path(), frame(photo=named), inputs_from={"it": image}, **options)
    rows = {split: rows_of(table, split) for split in SPLITS}
    assert sorted(np.concatenate(list(rows.values()))) == list(range(50))
    first = table.load("train").inputs["it"][:, 0, 0, 0] * 255
    np.testing.assert_allclose(first, 4 * rows["train"], rtol=1e-6)


def test_a_table_whose_rows_all_lack_an_image_is_refused() -> None:
    photos("photos")
    image = column(skip_missing=True, suffix=".jpg")
    table = table_of(Path(), frame(photo=NAMES), inputs_from={"it": image})
    with pytest.raises(ValueError, match="must hold usable rows, got none"):
        table.load("train")


@pytest.mark.parametrize("place", PLACES)
def test_what_was_decoded_once_is_not_decoded_again(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos(place)
    first = read(column(place), *NAMES)
    (kept,) = CACHE.iterdir()
    assert re.fullmatch(r"[0-9a-f]{64}\.npy", kept.name)
    with monkeypatch.context() as patch:
        patch.setattr(PIL.Image.Image, "resize", lambda *_: pytest.fail("it was decoded again"))
        np.testing.assert_array_equal(read(column(place), *NAMES), first)
        np.testing.assert_array_equal(read(column(place), *reversed(NAMES)), first[::-1])
    for other in (column(place, size=(1, 2)), column(place, channels=3)):
        assert read(other, *NAMES).shape[1:] == other.describe("it", {}).shape
    assert read(column(place), *NAMES[:3]).shape == (3, 2, 2, 1)
    assert len(list(CACHE.iterdir())) == 4


@pytest.mark.parametrize("pack", [folder, tar])
def test_what_cannot_be_decoded_is_named_and_nothing_is_kept(pack: Any) -> None:
    place = pack({"a.png": b"no picture", "b.png": png([[1]])})
    with pytest.raises(ValueError, match=f"`{place}` must hold .* images, got 'a.png'") as refusal:
        read(column(place), "b", "a")
    assert "\n" not in str(refusal.value)
    assert not CACHE.exists()


def test_another_content_under_the_same_name_is_decoded_anew() -> None:
    for level in (10, 20):
        place = folder({"a.png": png([[level]])})
        assert read(column(place, size=(1, 1)), "a").item() * 255 == pytest.approx(level)


def test_a_process_killed_while_it_wrote_leaves_nothing_that_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photos("photos")

    def breaks_off(file: io.BufferedWriter, array: np.ndarray) -> None:
        file.write(b"\x93NUMPY half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            read(column(), *NAMES)
    assert list(CACHE.iterdir()) == []
    expected = read(column(), *NAMES)
    (kept,) = CACHE.iterdir()
    whole = kept.read_bytes()
    part = kept.with_name(f"{kept.name}.1.part")  # of one that was killed and could not clear up
    part.write_bytes(whole[:100])
    for rest in (b"", whole[:50], whole[:-1]):
        kept.write_bytes(rest)
        np.testing.assert_array_equal(read(column(), *NAMES), expected)
        assert kept.read_bytes() == whole
    assert part.read_bytes() == whole[:100]


def test_a_fingerprint_is_the_hash_of_the_archive_or_of_names_and_contents() -> None:
    place = tar({"a.png": png([[1]])})
    assert column(place).fingerprint == hashlib.sha256(Path(place).read_bytes()).hexdigest()
    found = {column(folder({"a.png": png([[1]])})).fingerprint}
    folder({"notes.txt": b"no picture"})
    assert {column().fingerprint} == found
    found |= {column(folder({"a.png": png([[2]])})).fingerprint}
    found |= {column(folder({"b.png": png([[1]])})).fingerprint}
    Path("photos/b.png").rename("photos/c.png")
    found |= {column().fingerprint}
    assert len(found) == 4


def test_a_hash_that_is_given_is_the_fingerprint_and_is_held_to() -> None:
    assert column("nowhere.npz", sha256="1" * 64).fingerprint == "1" * 64
    place = tar({"a.png": png([[1]])})
    right = column(place).fingerprint
    assert read(column(place, sha256=right), "a").shape == (1, 2, 2, 1)
    message = f"`{place}` must be what has sha256 {'1' * 64}, got {right}"
    with pytest.raises(ValueError, match=message):
        read(column(place, sha256="1" * 64), "a")


def test_a_folder_of_ones_own_is_searched_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for level, where in ((1, "photos"), (2, "data/raw/photos"), (3, "mine/photos")):
        folder({"a.png": png([[level]])}, where)
        monkeypatch.setenv("STEELYARD_DATA", str(Path("mine").absolute()))
        assert read(column(), "a")[0, 0, 0, 0] * 255 == pytest.approx(level)


def test_kind_and_side_are_known_before_the_images_are_there() -> None:
    table = table_of(Path(), frame(), inputs_from={"it": column("nowhere", size=(30, 20))})
    assert table.input_kinds == {"it": ("image", 20)}


@pytest.mark.parametrize("there", ["", "photos.7z"])
def test_a_place_that_is_none_is_refused(there: str) -> None:
    if there:
        Path(there).write_bytes(b"packed")
    wanted = there or "photos"
    message = rf"`images` must be a folder or a file \(.*\) .* got none at data/raw/{wanted}"
    with pytest.raises(ValueError, match=message):
        read(column(wanted), "a")


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"images": ""}, "`images` must be a folder or an archive, got ''"),
        ({"size": (28,)}, r"`size` must be a height and a width, got \[28\]"),
        ({"size": (0, 28)}, r"`size` must be a height and a width, got \[0, 28\]"),
        ({"channels": 4}, "`channels` must be 1 or 3, got 4"),
    ],
)
def test_refuses_what_is_no_image(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        column(**knobs)
