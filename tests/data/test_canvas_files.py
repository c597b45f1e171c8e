"""The files that canvases are made of: MNIST's own, and nothing else."""

import struct
from pathlib import Path

import numpy as np
import pytest

from steelyard.data import canvas
from steelyard.data.canvas import Canvas, parse
from steelyard.data.files import File
from steelyard.data.source import SPLITS
from tests.data.idx import idx, packed, written


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
