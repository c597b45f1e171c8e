"""Images of a table: named by a column, held by a folder or an archive, brought to one size."""

import hashlib
import json
import os
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import PIL
from rich.console import Console
from rich.progress import track

from steelyard.data.column import Column, Fitted, as_labels, first_of
from steelyard.data.files import File
from steelyard.data.pictures import ARCHIVES, MODES, hash_of, opened
from steelyard.data.source import Input

CACHE = Path("data/cache")  # beside the place where the command runs
DECODING = 1  # grows where images are read in another way, so that none read before is used
WHITE = 255
MANY = 500  # images whose decoding is worth a bar


@dataclass(frozen=True, kw_only=True)
class Image(Column):
    """An image, as [height, width, channels] numbers in [0, 1].

    It is turned as its camera says, its transparency is left out, and it is resized: by the mean
    over a box where it shrinks, by bilinear interpolation where it grows. What was decoded is kept
    in `data/cache`, under a name made of the images' hash and these knobs.

    Attributes:
        column: The images' names or paths. One is that of a file if the path of the one ends with
            the path of the other, so that subfolders need no mention.
        images: The folder, or the `.tar`, `.zip` or `.npz` file, that holds them, sought as a
            table is; `.npz`: `images` [M, H, W] or [M, H, W, C] in uint8, and `image_id` [M].
        suffix: What a name lacks of its file's name; empty if nothing. Not for `.npz`.
        size: Height and width, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        skip_missing: Drops the rows that have no image; else they are refused.
        sha256: The hash that `images` must have; empty if any content is good.
    """

    column: str
    images: str
    suffix: str = ".jpg"
    size: tuple[int, int] = (28, 28)
    channels: int = 1
    skip_missing: bool = False
    sha256: str = ""

    kind: ClassVar[str] = "image"

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError(f"`images` must be a folder or an archive, got {self.images!r}.")
        if len(self.size) != 2 or min(self.size) < 1:  # noqa: PLR2004  a height and a width
            raise ValueError(f"`size` must be a height and a width, got {list(self.size)}.")
        if self.channels not in MODES:
            raise ValueError(f"`channels` must be 1 or 3, got {self.channels}.")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def side(self) -> int:
        return min(self.size)

    @property
    def fingerprint(self) -> str:
        return self.sha256 or hash_of(self._place)

    def usable(self, table: pd.DataFrame) -> np.ndarray:
        if not self.skip_missing:
            return super().usable(table)
        return self._names(table).notna().to_numpy()

    def fit(self, name: str, train: pd.DataFrame) -> Fitted:
        return {}

    def describe(self, name: str, fitted: Fitted) -> Input:
        return Input(name=name, kind=self.kind, shape=(*self.size, self.channels))

    def read(self, name: str, table: pd.DataFrame, fitted: Fitted) -> np.ndarray:
        names = self._names(table)
        if names.isna().any():
            raise ValueError(
                f"`{name}` must have an image in {self.images!r} for each row, got "
                f"{first_of(table[self.column], names.isna())} ({names.isna().sum()} such rows); "
                "mind `suffix`, or drop them with `skip_missing`."
            )
        different, where = np.unique(names.to_numpy(dtype=str), return_inverse=True)
        pixels = self._pixels(different.tolist())
        return np.divide(pixels[where], WHITE, dtype="float32")  # [N, height, width, channels]

    @cached_property
    def _place(self) -> Path:
        places = File(path=self.images).places
        for place in places:
            if place.is_dir() or (place.is_file() and place.suffix in ARCHIVES):
                return place
        raise ValueError(
            f"`images` must be a folder or a file ({', '.join(ARCHIVES)}) that exists, got none "
            f"at {' or '.join(map(str, places))}."
        )

    @cached_property
    def _verified(self) -> str:
        """The hash of the images."""
        found = hash_of(self._place)
        if self.sha256 and found != self.sha256:
            raise ValueError(f"`{self._place}` must be what has sha256 {self.sha256}, got {found}.")
        return found

    @cached_property
    def _known(self) -> dict[str, list[str]]:
        """The names of the images that there are, by the last part of the name."""
        found = defaultdict(list)
        with opened(self._place) as album:
            for name in album.names:
                found[name.rpartition("/")[2]].append(name)
        return found

    def _names(self, table: pd.DataFrame) -> "pd.Series[str]":
        """Returns the name of each row's image; missing where there is none."""
        suffix = "" if self._place.suffix == ".npz" else self.suffix
        wanted = as_labels(table[self.column]).astype(object)
        found = {each: self._name(f"{each}{suffix}") for each in wanted.dropna().unique()}
        return wanted.map(found)

    def _name(self, wanted: str) -> str | None:
        fitting = [
            name
            for name in self._known.get(wanted.rpartition("/")[2], ())
            if f"/{name}".endswith(f"/{wanted}") or f"/{wanted}".endswith(f"/{name}")
        ]
        fitting = [name for name in fitting if name == wanted] or fitting
        if len(fitting) > 1:
            raise ValueError(
                f"`{self.column}` must say which image of {self.images!r} is meant, got "
                f"{wanted!r}, which may be {' or '.join(map(repr, fitting))}."
            )
        return fitting[0] if fitting else None

    def _pixels(self, names: list[str]) -> np.ndarray:
        """Returns images in uint8 [M, height, width, channels], decoded now or kept from before."""
        shape = (len(names), *self.size, self.channels)
        made_of = [self._verified, names, shape, DECODING, PIL.__version__]
        key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
        place = CACHE / f"{key}.npy"
        kept = _kept(place)
        if kept is not None and kept.shape == shape:
            return kept
        pixels = np.empty(shape, dtype="uint8")
        console = Console(stderr=True)
        hide = len(names) < MANY or not console.is_terminal
        with opened(self._place) as album:
            told = track(names, "Decoding images", console=console, disable=hide, transient=True)
            for image, name in zip(pixels, told, strict=True):
                image[:] = album.pixels(name, self.size, self.channels)
        _keep(pixels, place)
        return pixels


def _kept(place: Path) -> np.ndarray | None:
    """Returns an array of the cache; None if it is not there, or not whole."""
    try:
        return np.load(place)
    except (OSError, ValueError, EOFError):
        return None


def _keep(pixels: np.ndarray, place: Path) -> None:
    """Writes an array to the cache: to a name of its own first, for the process may be killed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.save(file, pixels)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
