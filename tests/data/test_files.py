"""Where a file comes from: a folder of one's own, a zip beside it, or the publisher."""

import hashlib
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from steelyard.data.files import File

CONTENT = b"a,b\n1,2\n" * 20_000  # more than one portion of a download
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "set/table.csv"
NOWHERE = "http://127.0.0.1:9/table.csv"  # the port of discard: nobody listens


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in an empty folder, with no folder of one's own and no proxy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEELYARD_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def publisher() -> Iterator[str]:
    """The address of a server that has the file, and one that breaks off."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in {"/table.csv", "/broken.csv"} else 404)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[: 400 if self.path == "/broken.csv" else None])

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/table.csv"
        server.shutdown()
        thread.join()


def put(place: Path, content: bytes) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def pack(place: Path, name: str, content: bytes) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("__MACOSX/._" + name, b"not this one")
        archive.writestr(name, content)
    return place


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_folder_of_ones_own_is_searched_before_raw_and_raw_before_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    put(Path(NAME), b"here")
    assert File(path=NAME, url=NOWHERE).read() == b"here"
    put("data/raw" / Path(NAME), b"raw")
    assert File(path=NAME, url=NOWHERE).read() == b"raw"
    monkeypatch.setenv("STEELYARD_DATA", str(mine))
    assert File(path=NAME, url=NOWHERE).read() == b"raw"
    put(mine / NAME, b"mine")
    assert File(path=NAME, url=NOWHERE).read() == b"mine"


def test_an_absolute_path_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEELYARD_DATA", str(put(tmp_path / "mine" / NAME, b"mine").parents[1]))
    path = put(tmp_path / "elsewhere.csv", CONTENT)
    assert File(path=str(path), sha256=SHA256).read() == CONTENT


def test_a_zip_beside_the_name_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_DATA", str(tmp_path / "mine"))
    pack(tmp_path / "mine" / f"{NAME}.zip", "table.csv", CONTENT)
    put("data/raw" / Path(NAME), b"raw")
    file = File(path=NAME, sha256=SHA256)
    assert file.read() == CONTENT
    assert file.fingerprint() == File(path=NAME).fingerprint() == SHA256


def test_the_fingerprint_changes_with_the_bytes() -> None:
    put(Path(NAME), b"one")
    first = File(path=NAME).fingerprint()
    put(Path(NAME), b"other")
    assert File(path=NAME).fingerprint() != first


def test_a_published_hash_is_a_fingerprint_without_the_file() -> None:
    assert File(path=NAME, url=NOWHERE, sha256=SHA256).fingerprint() == SHA256


@pytest.mark.parametrize("sha256", ["", SHA256])
def test_a_download_is_verified_and_kept(tmp_path: Path, publisher: str, sha256: str) -> None:
    file = File(path=NAME, url=publisher, sha256=sha256)
    assert file.read() == CONTENT
    assert everything_below(tmp_path) == ["data", "data/raw", "data/raw/set", f"data/raw/{NAME}"]
    assert Path("data/raw", NAME).read_bytes() == CONTENT
    assert File(path=NAME, url=NOWHERE, sha256=sha256).read() == CONTENT


def test_a_download_with_a_wrong_hash_leaves_nothing_behind(tmp_path: Path, publisher: str) -> None:
    wrong = "0" * 64
    message = f"must be the published file with sha256 {wrong}, got {SHA256}."
    with pytest.raises(ValueError, match=message):
        File(path=NAME, url=publisher, sha256=wrong).read()
    assert everything_below(tmp_path) == []


def test_a_file_that_the_publisher_has_no_more_is_refused(tmp_path: Path, publisher: str) -> None:
    with pytest.raises(ValueError, match=r"got no answer from .*/other \(Not Found\)"):
        File(path=NAME, url=publisher.replace("table.csv", "other")).read()
    assert everything_below(tmp_path) == []


def test_a_download_that_broke_off_leaves_nothing_behind(tmp_path: Path, publisher: str) -> None:
    message = f"it broke off after 400 of {len(CONTENT)} bytes"
    with pytest.raises(ValueError, match=message):
        File(path=NAME, url=publisher.replace("table", "broken")).read()
    assert everything_below(tmp_path) == []


def test_an_address_that_is_none_is_refused(tmp_path: Path, publisher: str) -> None:
    with pytest.raises(ValueError, match="must be at hand or downloadable, got no answer") as told:
        File(path=NAME, url=publisher.replace("table", "my table")).read()
    assert "\n" not in str(told.value)
    assert everything_below(tmp_path) == []


def test_without_a_network_the_refusal_names_file_address_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be at hand or downloadable") as refusal:
        File(path=NAME, url=NOWHERE, sha256=SHA256).read()
    told = str(refusal.value)
    assert told.startswith(f"`{NAME}` must be")
    assert NOWHERE in told
    assert told.endswith(f"put the file at {tmp_path / 'data' / 'raw' / NAME}.")
    assert "\n" not in told
    assert everything_below(tmp_path) == []


def test_without_an_address_the_refusal_names_every_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEELYARD_DATA", str(tmp_path / "mine"))
    places = f"{tmp_path / 'mine' / NAME} or data/raw/{NAME} or {NAME}"
    message = f"`{NAME}` must be a file that exists, got nothing at {places}."
    with pytest.raises(ValueError, match=re.escape(message)):
        File(path=NAME).read()


def test_refuses_a_file_that_is_not_the_published_one() -> None:
    put(Path(NAME), b"changed")
    found = hashlib.sha256(b"changed").hexdigest()
    message = f"`{NAME}` must be the published file with sha256 {SHA256}, got {found}."
    with pytest.raises(ValueError, match=message):
        File(path=NAME, sha256=SHA256).read()


def test_refuses_a_zip_that_does_not_hold_the_file() -> None:
    pack(Path(f"{NAME}.zip"), "other.csv", CONTENT)
    message = f"`{NAME}.zip` must be a zip file that holds 'table.csv', got"
    with pytest.raises(ValueError, match=message):
        File(path=NAME).read()


def test_refuses_a_zip_that_is_none() -> None:
    put(Path(f"{NAME}.zip"), b"no archive")
    message = f"`{NAME}.zip` must be a zip file that holds 'table.csv', got File is not a zip file"
    with pytest.raises(ValueError, match=message):
        File(path=NAME).read()
