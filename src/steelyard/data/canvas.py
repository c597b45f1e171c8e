"""MNIST's digits at random places of a canvas: which digit it is, and the box around its ink."""

import gzip
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from steelyard.data.files import File
from steelyard.data.source import Examples, Input, Source, Split
from steelyard.task import LOSSES, Task

GLYPH = 28  # pixels on a side of one digit
DARKEST = 255
N_PUBLISHED = {"train": 60_000, "test": 10_000}
DIGITS = tuple(str(digit) for digit in range(10))
CHUNK_BYTES = 1 << 25  # of canvases that are held at a time
HEAD_BYTES, UNSIGNED_BYTES = 4, 0x08  # of an idx file: two zeros, the type, how many axes
SHA256 = {
    "train-images-idx3": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
URL = "https://storage.googleapis.com/cvdf-datasets"


def _published(stem: str) -> File:
    path = f"mnist/{stem}-ubyte.gz"
    return File(path=path, url=f"{URL}/{path}", sha256=SHA256[stem])


FILES: Mapping[str, tuple[File, File]] = {  # images, and which digits they are
    "train": (_published("train-images-idx3"), _published("train-labels-idx1")),
    "test": (_published("t10k-images-idx3"), _published("t10k-labels-idx1")),
}


@dataclass(frozen=True, kw_only=True)
class Canvas(Source):
    """Digits of MNIST, each at a random place of an empty canvas that is then averaged down.

    Heads: `digit`, and `box`, the smallest box that holds every pixel with ink, as shares of the
    canvas: x1 and x2 from its left edge, y1 and y2 from its top edge. Real digits, synthetic
    placement. Train and valid are different images of the publisher's training files, test is
    drawn from the publisher's test files; no image is used twice.

    The box's loss decides how uneven the heads are. At its best constant, with the default knobs,
    the mean squared error is 0.026 and a perfect head's is 0; the cross-entropy is 0.648, and a
    perfect head's 0.587, the entropy of the coordinates. The digit's is 2.30 beside either.

    MNIST is lecun1998gradient in the references, under CC BY-SA 3.0.

    Attributes:
        canvas: Pixels on a side of the canvas.
        side: Averages on a side of what is left of it; divides `canvas`.
        n_train: Training examples, of the 60,000 that valid is drawn from too.
        n_valid: Examples that choose.
        n_test: Test examples, of 10,000.
        box_loss: `mse` or `binary_crossentropy`.
        seed: Draws the images and, with the split's name, their places.
    """

    canvas: int = 60
    side: int = 10
    n_train: int = 20_000
    n_valid: int = 5_000
    n_test: int = 10_000
    box_loss: str = "mse"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.canvas < GLYPH:
            raise ValueError(f"`canvas` must be at least {GLYPH}, got {self.canvas}.")
        if self.side < 1 or self.canvas % self.side:
            raise ValueError(f"`side` must divide {self.canvas}, got {self.side}.")
        for knob in ("n_train", "n_valid", "n_test"):
            if getattr(self, knob) < 1:
                raise ValueError(f"`{knob}` must be at least 1, got {getattr(self, knob)}.")
        if self.n_train + self.n_valid > N_PUBLISHED["train"]:
            raise ValueError(
                f"`n_train` and `n_valid` must sum to at most {N_PUBLISHED['train']}, got "
                f"{self.n_train} and {self.n_valid}."
            )
        if self.n_test > N_PUBLISHED["test"]:
            raise ValueError(f"`n_test` must be at most {N_PUBLISHED['test']}, got {self.n_test}.")
        if self.box_loss not in LOSSES["box"]:
            losses = ", ".join(LOSSES["box"])
            raise ValueError(f"`box_loss` must be one of {losses}, got {self.box_loss!r}.")
        if self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}.")

    @property
    def task_names(self) -> tuple[str, ...]:
        return ("digit", "box")

    @property
    def fingerprint(self) -> str:
        return " ".join(file.fingerprint() for pair in FILES.values() for file in pair)

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return {each.name: (each.kind, each.length) for each in self.inputs}

    @property
    def inputs(self) -> tuple[Input, ...]:
        return (Input(name="pixels", kind="numeric", shape=(self.side**2,)),)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (
            Task(name="digit", kind="multiclass", classes=DIGITS),
            Task(name="box", kind="box", loss=self.box_loss),
        )

    def load(self, split: Split) -> Examples:
        return self._splits[split]

    @cached_property
    def _splits(self) -> dict[Split, Examples]:
        rng = np.random.default_rng(self.seed)
        glyphs, digits = (parse(file) for file in FILES["train"])
        order = rng.permutation(len(glyphs))
        train, valid = order[: self.n_train], order[-self.n_valid :]
        splits: dict[Split, Examples] = {
            "train": self._placed("train", glyphs[train], digits[train]),
            "valid": self._placed("valid", glyphs[valid], digits[valid]),
        }
        glyphs, digits = (parse(file) for file in FILES["test"])
        test = rng.permutation(len(glyphs))[: self.n_test]
        return {**splits, "test": self._placed("test", glyphs[test], digits[test])}

    def _placed(self, split: Split, glyphs: np.ndarray, digits: np.ndarray) -> Examples:
        """Returns the examples that images [N, 28, 28] make, each at a place of its own."""
        rng = np.random.default_rng([self.seed, *split.encode()])
        places = rng.integers(self.canvas - GLYPH + 1, size=(len(glyphs), 2))
        return Examples(
            inputs={"pixels": pooled(glyphs, places, self.canvas, self.side)},
            targets={"digit": digits.astype("int32"), "box": boxes(glyphs, places, self.canvas)},
        )


def pooled(glyphs: np.ndarray, places: np.ndarray, canvas: int, side: int) -> np.ndarray:
    """Returns canvases with a digit on each, averaged down: [N, side * side], in [0, 1].

    Args:
        glyphs: The digits [N, 28, 28], from 0 to 255.
        places: Of their left and upper edges [N, 2], in pixels.
        canvas: Pixels on a side of the canvas.
        side: Averages on a side; they run from left to right, and then down.
    """
    n, cell = len(glyphs), canvas // side
    averages = np.empty((n, side, side), dtype="float32")
    across = np.arange(GLYPH)
    step = max(1, CHUNK_BYTES // canvas**2)
    for first in range(0, n, step):
        some = slice(first, first + step)
        left, top = places[some, 0, None, None], places[some, 1, None, None]  # [n, 1, 1]
        sheets = np.zeros((len(left), canvas, canvas), dtype="uint8")
        which = np.arange(len(left))[:, None, None]
        sheets[which, top + across[:, None], left + across] = glyphs[some]
        cells = sheets.reshape(-1, side, cell, side, cell)
        ink = cells.sum(axis=4, dtype="uint32").sum(axis=2)
        averages[some] = ink / (cell**2 * DARKEST)
    return averages.reshape(n, -1)


def boxes(glyphs: np.ndarray, places: np.ndarray, canvas: int) -> np.ndarray:
    """Returns the boxes [N, 4] around the ink of digits at their places, as shares of the canvas.

    A box ends where its last pixel ends, so that one pixel's box is a pixel wide.
    """
    has_ink = glyphs > 0
    used = np.stack([has_ink.any(axis=1), has_ink.any(axis=2)], axis=1)  # [N, 2, 28] columns, rows
    low = places + used.argmax(axis=2)
    high = places + GLYPH - used[:, :, ::-1].argmax(axis=2)
    return (np.concatenate([low, high], axis=1) / canvas).astype("float32")


def parse(file: File) -> np.ndarray:
    """Returns the unsigned bytes of a gzipped idx file, in their shape.

    Raises:
        ValueError: The file cannot be had, or holds something else.
    """
    packed = file.read()
    try:
        content = gzip.decompress(packed)
        *start, n_axes = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{n_axes}I", content, HEAD_BYTES)
        if start != [0, UNSIGNED_BYTES]:
            raise ValueError(f"numbers of another type, {start}")
        values = np.frombuffer(content, "uint8", offset=HEAD_BYTES + 4 * n_axes)
        return values.reshape(shape)
    except (OSError, EOFError, zlib.error, struct.error, ValueError) as error:
        raise ValueError(
            f"`{file.path}` must be a gzipped idx file of unsigned bytes, got {error}."
        ) from error
