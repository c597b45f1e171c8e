"""Where published files are found: a folder of one's own, `data/raw`, or the publisher."""

import hashlib
import os
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

RAW = Path("data/raw")  # beside the place where the command runs
CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a data set, as its publisher released it.

    It is looked for in `$STEELYARD_DATA`, then in `data/raw`, then downloaded to `data/raw`; a
    `.zip` beside its name that holds it serves as well. An absolute path is taken as it is.

    Attributes:
        path: Folder and name below the folders that are searched, or an absolute path.
        url: Where the publisher has it; empty if it cannot be downloaded.
        sha256: Hash of its bytes; empty if any content is good.
    """

    path: str
    url: str = ""
    sha256: str = ""

    def read(self) -> bytes:
        """Returns the file's bytes, verified.

        Raises:
            ValueError: The file cannot be had, or its bytes are not the published ones.
        """
        for place in self.places:
            content = _bytes_at(place)
            if content is not None:
                return self._verified(content, place)
        if not self.url:
            raise ValueError(
                f"`{self.path}` must be a file that exists, got nothing at "
                f"{' or '.join(map(str, self.places))}."
            )
        return self._download(RAW / self.path)

    def fingerprint(self) -> str:
        """Returns the hash that the file's bytes have, or must have."""
        return self.sha256 or hashlib.sha256(self.read()).hexdigest()

    @property
    def places(self) -> list[Path]:
        """The paths where it is looked for, in order."""
        if Path(self.path).is_absolute():
            return [Path(self.path)]
        given = os.environ.get("STEELYARD_DATA")
        folders = [Path(given)] if given else []
        return [*(folder / self.path for folder in [*folders, RAW]), Path(self.path)]

    def _verified(self, content: bytes, place: Path) -> bytes:
        found = hashlib.sha256(content).hexdigest()
        if self.sha256 and found != self.sha256:
            raise ValueError(
                f"`{place}` must be the published file with sha256 {self.sha256}, got {found}."
            )
        return content

    def _download(self, place: Path) -> bytes:
        content = bytearray()
        columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
        try:
            request = urllib.request.urlopen(self.url, timeout=TIMEOUT_SECONDS)
            with request as response, Progress(*columns) as progress:
                size = int(response.headers.get("Content-Length", 0)) or None
                bar = progress.add_task(f"Downloading {place.name}", total=size)
                while chunk := response.read(CHUNK_BYTES):
                    content += chunk
                    progress.advance(bar, len(chunk))
            if size and len(content) != size:
                raise OSError(f"it broke off after {len(content)} of {size} bytes")
        except (OSError, ValueError, HTTPException) as error:  # URLError, time-outs are OSErrors
            reason = getattr(error, "reason", error)
            raise ValueError(
                f"`{self.path}` must be at hand or downloadable, got no answer from {self.url} "
                f"({reason}); put the file at {place.absolute()}."
            ) from error
        verified = self._verified(bytes(content), place)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(place.name + ".part")
        part.write_bytes(verified)
        part.rename(place)
        return verified


def _bytes_at(place: Path) -> bytes | None:
    """Returns the bytes of a file, or of its like in a `.zip` beside it; None if there is none."""
    if place.is_file():
        return place.read_bytes()
    packed = place.with_name(place.name + ".zip")
    if not packed.is_file():
        return None
    try:
        with zipfile.ZipFile(packed) as archive:
            return archive.read(place.name)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(
            f"`{packed}` must be a zip file that holds {place.name!r}, got {error}."
        ) from error
