"""Digits on a canvas: where the box is, what averaging keeps, and which image is in which split."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data import canvas
from steelyard.data.canvas import Canvas, boxes, parse, pooled
from steelyard.data.files import File
from steelyard.data.source import SPLITS, Split

CONFIGURATION = Path(__file__).parents[2] / "conf/data/canvas.yaml"
N_TRAIN_FILE, N_TEST_FILE = 40, 10
SMALL: dict[str, Any] = {"n_train": 20, "n_valid": 12, "n_test": 8}
each_split = pytest.mark.parametrize("split", SPLITS)


def packed(content: bytes) -> bytes:
    """Returns bytes gzipped, the same whenever it is done."""
    return gzip.compress(content, mtime=0)


def idx(values: np.ndarray) -> bytes:
    """Returns the gzipped idx file of unsigned bytes."""
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    return packed(head + values.tobytes())


def written(n: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns digits [n, 28, 28] that their darkest pixel tells apart, and which they are [n]."""
    rng = np.random.default_rng(first)
    images = np.zeros((n, 28, 28), dtype="uint8")
    for k, (low, high) in enumerate(rng.integers((2, 15), (14, 27), size=(n, 2))):
        images[k, low:high, low + 1 : high - 2] = first + k
    return images, (np.arange(n) % 10).astype("uint8")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four files of a few digits, where the published ones are looked for."""
    monkeypatch.setenv("STEELYARD_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    files = {}
    for name, n, first in (("train", N_TRAIN_FILE, 100), ("test", N_TEST_FILE, 200)):
        pair = []
        for published, values in zip(canvas.FILES[name], written(n, first), strict=True):
            (tmp_path / published.path).write_bytes(idx(values))
            pair.append(File(path=published.path))
        files[name] = tuple(pair)
    monkeypatch.setattr(canvas, "FILES", files)
    return tmp_path


def glyph(ink: dict[tuple[int, int], int]) -> np.ndarray:
    """Returns a digit [1, 28, 28] with ink at (row, column)."""
    image = np.zeros((1, 28, 28), dtype="uint8")
    for (row, column), value in ink.items():
        image[0, row, column] = value
    return image


def identities(source: Canvas, split: Split) -> np.ndarray:
    """Returns the darkest pixel of each canvas that was not averaged, which tells the digits."""
    return np.round(source.load(split).inputs["pixels"].max(axis=1) * 255).astype(int)


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


@pytest.mark.usefixtures("small")
@each_split
def test_the_box_is_that_of_the_ink_on_the_canvas(split: Split) -> None:
    examples = Canvas(**SMALL, side=60).load(split)
    sheets = examples.inputs["pixels"].reshape(-1, 60, 60)
    for sheet, box in zip(sheets, examples.targets["box"], strict=True):
        rows, columns = np.nonzero(sheet)
        expected = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / 60
        np.testing.assert_allclose(box, expected, rtol=1e-6)


@pytest.mark.usefixtures("small")
@each_split
def test_a_digit_keeps_its_label(split: Split) -> None:
    source = Canvas(**SMALL, side=60)
    np.testing.assert_array_equal(
        source.load(split).targets["digit"], identities(source, split) % 10
    )


@pytest.mark.usefixtures("small")
def test_no_image_is_used_twice_and_each_split_is_of_the_files_it_should_be() -> None:
    source = Canvas(**SMALL, side=60)
    train, valid, test = (identities(source, split) for split in SPLITS)
    used = np.concatenate([train, valid, test])
    assert len(used) == len(np.unique(used)) == 20 + 12 + 8
    assert 100 <= train.min() <= train.max() < 140
    assert 100 <= valid.min() <= valid.max() < 140
    assert 200 <= test.min() <= test.max() < 210


@pytest.mark.usefixtures("small")
def test_more_training_examples_leave_the_others_as_they_are() -> None:
    few, many = Canvas(**SMALL), Canvas(**{**SMALL, "n_train": 28})
    for split in ("valid", "test"):
        np.testing.assert_array_equal(
            few.load(split).inputs["pixels"], many.load(split).inputs["pixels"]
        )
    np.testing.assert_array_equal(
        few.load("train").inputs["pixels"], many.load("train").inputs["pixels"][:20]
    )


@pytest.mark.usefixtures("small")
@each_split
def test_the_same_knobs_give_the_same_arrays_and_another_seed_others(split: Split) -> None:
    one, same, other = (Canvas(**SMALL, seed=seed).load(split) for seed in (1, 1, 2))
    for arrays, others in zip(one, same, strict=True):
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name, strict=True)
    assert (one.targets["box"] != other.targets["box"]).any(axis=1).mean() > 0.9


@pytest.mark.usefixtures("small")
def test_the_loss_of_the_box_changes_no_array() -> None:
    squared, entropy = (Canvas(**SMALL, box_loss=loss) for loss in ("mse", "binary_crossentropy"))
    assert [task.keras_loss for task in squared.tasks] == ["sparse_categorical_crossentropy", "mse"]
    assert entropy.tasks[1].keras_loss == "binary_crossentropy"
    for name, array in squared.load("train").targets.items():
        np.testing.assert_array_equal(array, entropy.load("train").targets[name])


@pytest.mark.usefixtures("small")
def test_digits_are_put_everywhere_on_the_canvas_and_nowhere_beside_it() -> None:
    source = Canvas(**{**SMALL, "n_train": 28}, canvas=30, side=30)  # 3 places each way
    images = dict(zip(range(100, 140), written(40, 100)[0], strict=True))
    places = set()
    box = np.round(source.load("train").targets["box"] * 30).astype(int)
    for which, (left, top, _, _) in zip(identities(source, "train"), box, strict=True):
        rows, columns = np.nonzero(images[which])
        places.add((left - columns.min(), top - rows.min()))
    assert {left for left, _ in places} == {top for _, top in places} == {0, 1, 2}


@pytest.mark.usefixtures("small")
def test_arrays_are_what_the_source_says_of_them() -> None:
    source = Canvas(**SMALL, side=12)
    pixels = source.inputs[0]
    for split, n in zip(SPLITS, (20, 12, 8), strict=True):
        examples = source.load(split)
        assert examples.inputs["pixels"].shape == (n, *pixels.shape) == (n, 144)
        assert examples.inputs["pixels"].dtype == pixels.dtype == "float32"
        assert tuple(examples.targets) == source.task_names == ("digit", "box")
        assert examples.targets["digit"].dtype == "int32"
        assert examples.targets["box"].dtype == "float32"
        assert examples.targets["box"].shape == (n, 4)
    assert tuple(task.name for task in source.tasks) == source.task_names
    assert source.tasks[0].classes == tuple("0123456789")


def test_names_kinds_and_fingerprint_need_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEELYARD_DATA", raising=False)
    source = Canvas()
    assert source.task_names == ("digit", "box")
    assert source.input_kinds == {"pixels": ("numeric", 0)}
    published = [file for pair in canvas.FILES.values() for file in pair]
    assert source.fingerprint.split() == [file.sha256 for file in published]
    assert len(set(source.fingerprint.split())) == 4
    for file in published:
        assert file.url == f"https://storage.googleapis.com/cvdf-datasets/{file.path}"


def test_refuses_files_that_are_not_the_published_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEELYARD_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist/train-images-idx3-ubyte.gz").write_bytes(idx(written(4, 1)[0]))
    with pytest.raises(ValueError, match="must be the published file with sha256 440fcabf73cc"):
        Canvas().load("train")


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)])
def test_parses_the_idx_files_that_it_is_given(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype="uint8").reshape(shape)
    (tmp_path / "values.gz").write_bytes(idx(values))
    found = parse(File(path=str(tmp_path / "values.gz")))
    np.testing.assert_array_equal(found, values, strict=True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no archive", "Not a gzipped file"),
        (idx(np.zeros((2, 3), dtype="uint8"))[:-9], "ended before"),
        (packed(b"\0\0"), "at least 4 bytes"),
        (packed(struct.pack(">HBBI", 0, 13, 1, 1) + b"\0\0\0\0"), "numbers of another type"),
        (packed(struct.pack(">HBBI", 0, 8, 1, 5) + b"\0\0"), "cannot reshape"),
    ],
)
def test_refuses_what_is_no_idx_file(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "values.gz"
    path.write_bytes(content)
    message = f"`{path}` must be a gzipped idx file of unsigned bytes, got .*{reason}"
    with pytest.raises(ValueError, match=message):
        parse(File(path=str(path)))


def test_the_configuration_is_the_defaults() -> None:
    assert construct(OmegaConf.load(CONFIGURATION)) == Canvas()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"canvas": 27}, "`canvas` must be at least 28, got 27"),
        ({"side": 7}, "`side` must divide 60, got 7"),
        ({"side": 0}, "`side` must divide 60, got 0"),
        ({"side": 120}, "`side` must divide 60, got 120"),
        ({"n_train": 0}, "`n_train` must be at least 1, got 0"),
        ({"n_valid": 0}, "`n_valid` must be at least 1, got 0"),
        ({"n_test": 0}, "`n_test` must be at least 1, got 0"),
        ({"n_train": 55_001}, "must sum to at most 60000, got 55001 and 5000"),
        ({"n_test": 10_001}, "`n_test` must be at most 10000, got 10001"),
        ({"box_loss": "mae"}, "`box_loss` must be one of mse, binary_crossentropy, got 'mae'"),
        ({"box_loss": ""}, "`box_loss` must be one of mse, binary_crossentropy, got ''"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
    ],
)
def test_refuses_what_no_canvases_can_be_made_from(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Canvas(**knobs)


@pytest.mark.usefixtures("real_data")
def test_real_digits_have_the_losses_that_the_source_says() -> None:
    source = Canvas()
    train, valid, test = (source.load(split) for split in SPLITS)
    assert [len(each.targets["digit"]) for each in (train, valid, test)] == [20_000, 5_000, 10_000]
    for examples in (train, valid, test):
        pixels, box = examples.inputs["pixels"], examples.targets["box"]
        assert 0 == pixels.min() < pixels.max() <= 1
        assert 0 <= box.min() < box.max() <= 1
        assert (box[:, 2:] > box[:, :2]).all()
        assert np.bincount(examples.targets["digit"]).argmax() == 1  # as MNIST is
        assert len(np.unique(pixels, axis=0)) == len(pixels)

    box = train.targets["box"].astype("float64")
    best = box.mean(axis=0)
    assert np.mean((box - best) ** 2) == pytest.approx(0.026, abs=0.0005)
    assert entropy(box, best) == pytest.approx(0.648, abs=0.001)
    assert entropy(box, box) == pytest.approx(0.587, abs=0.001)
    shares = np.bincount(train.targets["digit"]) / 20_000
    assert -np.sum(shares * np.log(shares)) == pytest.approx(2.30, abs=0.005)


def entropy(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Returns the cross-entropy of outputs with targets that are shares."""
    outputs = np.clip(outputs, 1e-7, 1 - 1e-7)
    return -float(np.mean(targets * np.log(outputs) + (1 - targets) * np.log(1 - outputs)))
