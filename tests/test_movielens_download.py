"""The download, from a server on this machine that may break off, know no ranges, or send something else."""

import dataclasses
import hashlib
import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from small_movielens import FILES, error_of

from course_utils import movielens

pytestmark = pytest.mark.usefixtures("own_cache")


class Server(ThreadingHTTPServer):
    """Serves one archive. stop_after: bytes after which a reply breaks off; ranges: what was asked for, in order."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.archive, self.status, self.knows_ranges = b"", 200, True
        self.stop_after: int | None = None
        self.ranges: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.knows_ranges else 0
        status = self.server.status
        if start:
            status = 206 if start < len(self.server.archive) else 416
        body = self.server.archive[start:]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.stop_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(small_archives, monkeypatch):
    """GroupLens, played by a thread; its archive holds the small ml-100k and has the hash that is expected."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file, text in FILES["ml-100k"].items():
            archive.writestr(f"ml-100k/{file}", text.encode("latin-1"))
        archive.writestr("ml-100k/u.user", np.random.default_rng(0).bytes(300_000))  # not needed; of some length
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    with Server() as server:
        server.archive = packed.getvalue()
        known_hash = f"md5:{hashlib.md5(server.archive).hexdigest()}"
        changed = dataclasses.replace(movielens.ARCHIVES["ml-100k"], known_hash=known_hash)
        monkeypatch.setitem(movielens.ARCHIVES, "ml-100k", changed)
        monkeypatch.setattr(movielens, "GROUPLENS", f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_download_fills_the_cache_once(server, own_cache):
    assert len(movielens.load("ml-100k").ratings) == 4
    assert len(movielens.load("ml-100k").ratings) == 4
    assert server.ranges == [None]
    assert names_in(own_cache) == ["ml-100k"]
    assert names_in(own_cache / "ml-100k") == ["u.data", "u.item"]


def test_a_download_that_broke_off_goes_on_where_it_stopped(server, own_cache):
    server.stop_after = 200_000
    assert "could not be downloaded" in error_of("ml-100k")
    assert names_in(own_cache) == ["ml-100k.zip.part"]
    server.stop_after = None
    assert len(movielens.load("ml-100k").ratings) == 4
    assert server.ranges == [None, f"bytes={3 * 65_536}-"]  # what arrived, in whole chunks of 64 KiB
    assert names_in(own_cache) == ["ml-100k"]


def test_a_server_that_cannot_go_on_sends_everything_anew(server, own_cache):
    own_cache.mkdir()
    (own_cache / "ml-100k.zip.part").write_bytes(server.archive[:200_000])
    server.knows_ranges = False
    assert len(movielens.load("ml-100k").ratings) == 4


def test_an_archive_that_had_arrived_whole_is_used(server, own_cache):
    own_cache.mkdir()
    (own_cache / "ml-100k.zip.part").write_bytes(server.archive)
    assert len(movielens.load("ml-100k").ratings) == 4


def test_an_archive_with_another_hash_is_thrown_away_and_the_next_call_starts_anew(server, own_cache):
    good = server.archive
    server.archive = good[:-1] + b"?"
    assert "hash" in error_of("ml-100k")
    assert names_in(own_cache) == []
    server.archive = good
    assert len(movielens.load("ml-100k").ratings) == 4


def test_a_good_cached_copy_is_never_replaced_by_a_download(server, own_cache):
    movielens.download("ml-100k")
    server.archive = b"broken"
    assert movielens.download("ml-100k") == own_cache / "ml-100k"
    assert len(movielens.load("ml-100k").ratings) == 4
    assert server.ranges == [None]


def test_a_stop_while_unpacking_leaves_no_half_data_set_behind(server, own_cache, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extract", stop)
        with pytest.raises(KeyboardInterrupt):
            movielens.download("ml-100k")
    assert movielens.find("ml-100k") is None
    assert names_in(own_cache) == ["ml-100k.zip"]
    assert len(movielens.load("ml-100k").ratings) == 4
    assert server.ranges == [None]


@pytest.mark.parametrize("status", [404, 500])
def test_a_failing_download_ends_in_one_line_that_names_three_ways_to_get_data(status, server, own_cache):
    server.status = status
    message = error_of("ml-100k")
    assert str(status) in message
    for way in ("set COURSE_DATA_DIR to the folder above", "`course data ml-100k`", "COURSE_DATASET=synthetic"):
        assert way in message
    assert names_in(own_cache) == []


def test_without_a_network_the_same_three_ways_are_named(monkeypatch):
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setattr(movielens, "GROUPLENS", "http://127.0.0.1:9/")  # nobody listens on the discard port
    message = error_of("ml-1m")
    assert "no connection to http://127.0.0.1:9/" in message
    assert "put ratings.dat and movies.dat from" in message
    assert "`course data ml-1m`" in message
    assert "COURSE_DATASET=synthetic" in message
