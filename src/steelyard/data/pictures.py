"""Where pictures lie, be it a folder or an archive, and a picture to pixels of a given size."""

import hashlib
import lzma
import os
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps

ARCHIVES = (".tar", ".zip", ".npz")
ENDINGS = (".bmp", ".gif", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # EPS, which Pillow reads too, runs code
MODES = {1: "L", 3: "RGB"}  # by number of channels
UNREADABLE = (  # what the libraries raise at an archive, or at a picture in it
    *(OSError, ValueError, KeyError, EOFError, SyntaxError, RuntimeError, struct.error),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
    PIL.Image.DecompressionBombError,
)
END_OF_TAR = bytes(1024)
Picture = PIL.Image.Image


@dataclass(frozen=True)
class Album:
    """The pictures of a folder or an archive.

    Attributes:
        place: The folder or the archive.
        names: The pictures' names, with the subfolders that they lie in.
        find: Returns the picture of a name.
    """

    place: Path
    names: Sequence[str]
    find: Callable[[str], Picture]

    def pixels(self, name: str, size: Sequence[int], channels: int) -> np.ndarray:
        """Returns a picture in uint8 [height, width, channels].

        Raises:
            ValueError: It cannot be read.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a camera's notes, not the picture
                picture = _plain(self.find(name)).convert(MODES[channels])
        except PIL.UnidentifiedImageError as error:
            raise ValueError(
                f"`{self.place}` must hold {' or '.join(FORMATS)} images, got {name!r}, which is "
                "none."
            ) from error
        except UNREADABLE as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise ValueError(
                f"`{self.place}` must hold whole images, got {name!r} with an error: {reason}."
            ) from error
        height, width = size
        shrinks = picture.height >= height and picture.width >= width
        how = PIL.Image.Resampling.BOX if shrinks else PIL.Image.Resampling.BILINEAR
        return np.asarray(picture.resize((width, height), how)).reshape(height, width, channels)


@contextmanager
def opened(place: Path) -> Iterator[Album]:
    """Opens a folder or an archive.

    Raises:
        ValueError: It is no such archive.
    """
    with ExitStack() as stack:
        try:
            album = _album(place, stack)
        except UNREADABLE as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise ValueError(
                f"`{place}` must be a readable {place.suffix} file, got an error: {reason}."
            ) from error
        yield album


def hash_of(place: Path) -> str:
    """Returns the hash of a file's bytes, or of the names and the bytes of a folder's pictures."""
    if place.is_file():
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    found = hashlib.sha256()
    for name in _names_below(place):
        found.update(f"{name} {hash_of(place / name)}\n".encode())
    return found.hexdigest()


def _album(place: Path, stack: ExitStack) -> Album:
    if place.is_dir():
        return Album(place, _names_below(place), lambda name: _parsed((place / name).read_bytes()))
    if place.suffix == ".npz":
        return _of_arrays(place)
    if place.suffix == ".zip":
        packed = stack.enter_context(zipfile.ZipFile(place))
        return Album(place, packed.namelist(), lambda name: _parsed(packed.read(name)))
    with place.open("rb") as file:
        file.seek(-len(END_OF_TAR), os.SEEK_END)
        if file.read() != END_OF_TAR:  # tarfile reads one that was cut off as a shorter one
            raise ValueError("its end is missing")
    tar = stack.enter_context(tarfile.TarFile.open(place))
    members = [member for member in tar if member.isfile()]
    by_name = {member.name: member for member in members}

    def find(name: str) -> Picture:
        content = tar.extractfile(by_name[name])
        return _parsed(content.read() if content else b"")

    return Album(place, [member.name for member in members], find)


def _of_arrays(place: Path) -> Album:
    with place.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        images, ids = arrays["images"], arrays["image_id"]
    shape = "x".join(map(str, images.shape))
    is_image = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in MODES)  # noqa: PLR2004
    if images.dtype != np.uint8 or not is_image or ids.shape != images.shape[:1]:
        raise ValueError(
            "`images` must be [M, H, W] or [M, H, W, C] in uint8 for `image_id` [M], got "
            f"{shape} in {images.dtype} for {'x'.join(map(str, ids.shape))}"
        )
    if images.shape[3:] == (1,):
        images = images[..., 0]
    names = [str(each) for each in ids]
    row = {name: n for n, name in enumerate(names)}
    return Album(place, names, lambda name: PIL.Image.fromarray(images[row[name]]))


def _names_below(folder: Path) -> list[str]:
    """Returns the pictures in a folder and in its subfolders, in alphabetical order."""
    found = (path for path in folder.rglob("*") if path.name.lower().endswith(ENDINGS))
    return sorted(path.relative_to(folder).as_posix() for path in found if path.is_file())


def _parsed(content: bytes) -> Picture:
    return PIL.Image.open(BytesIO(content), formats=FORMATS)


def _plain(picture: Picture) -> Picture:
    """Returns a picture the right way up, in a mode that converts to grey or colours."""
    picture = PIL.ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I;16"):  # the high byte, which is all that Pillow keeps of colours
        return PIL.Image.fromarray((np.asarray(picture) >> 8).astype("uint8"))
    if picture.mode in {"I", "F"}:
        raise ValueError("its 32 bits a channel have no known range")
    return picture.convert("RGBA") if picture.mode == "P" else picture
