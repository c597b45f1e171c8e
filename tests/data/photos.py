"""Small pictures, one for each row of a small table, in folders and archives."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from tests.data.tables import N_ROWS

NAMES = [f"photo{n}" for n in range(N_ROWS)]
PLACES = ("photos", "photos.tar", "photos.zip", "photos.npz")


def png(pixels: Any, **options: Any) -> bytes:
    """Returns the bytes of a picture of 8-bit pixels [H, W] or [H, W, C]."""
    file = io.BytesIO()
    PIL.Image.fromarray(np.array(pixels, dtype="uint8")).save(file, "PNG", **options)
    return file.getvalue()


def folder(pictures: Mapping[str, bytes], name: str = "photos") -> str:
    for each, content in pictures.items():
        place = Path(name, each)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return name


def tar(pictures: Mapping[str, bytes], name: str = "photos.tar") -> str:
    with tarfile.open(name, "w") as archive:
        for each, content in pictures.items():
            member = tarfile.TarInfo(each)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return name


def shades() -> dict[str, np.ndarray]:
    """Returns pixels [3, 2] by name, all different."""
    return {name: np.arange(6).reshape(3, 2) + 4 * n for n, name in enumerate(NAMES)}


def photos(place: str) -> str:
    """Returns a folder or an archive of grey pictures, out of order and in subfolders."""
    pixels = dict(reversed(shades().items()))
    files = {f"part{n % 2}/{name}.png": png(each) for n, (name, each) in enumerate(pixels.items())}
    if place.endswith(".npz"):
        images = np.stack(list(pixels.values())).astype("uint8")
        np.savez_compressed(place, images=images, image_id=np.array(list(pixels)))
        return place
    if place.endswith(".zip"):
        with zipfile.ZipFile(place, "w") as archive:
            for each, content in files.items():
                archive.writestr(each, content)
        return place
    return tar(files) if place.endswith(".tar") else folder(files)
