import dataclasses
import hashlib
import io
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course_utils import movielens, movielens_files
from course_utils.movielens import DataError

# Small made-up data sets in the formats of the real ones: 4 ratings of 3 films by 3 users.
FLAGS = "0|" * 18
FILES = {
    "ml-100k": {
        "u.data": "2\t3\t4\t881250949\n1\t1\t5\t881250949\n3\t3\t1\t881250948\n2\t1\t3\t881250949\n",
        "u.item": f"1|Caf\xe9 M\xfcller (1983)|01-Jan-1983||http://x|0|1|1|{'0|' * 15}0\n"
        f"2|unknown||||1|{'0|' * 17}0\n"
        f"3|Quiet Sea (Mar quieta) (1997)|||http://y|{FLAGS}1\n",
    },
    "ml-1m": {
        "ratings.dat": "2::3::4::978300760\n1::1::5::978300761\n3::3::1::978300762\n2::1::3::978300763\n",
        "movies.dat": "1::Caf\xe9 M\xfcller (1983)::Comedy|Drama\n2::Two: Colons (1999)::War\n3::Sea (1997)::Drama\n",
    },
    "ml-latest-small": {
        "ratings.csv": "userId,movieId,rating,timestamp\r\n2,30,4.5,978300760\r\n1,1,0.5,978300761\r\n"
        "3,30,1.0,978300762\r\n2,1,3.0,978300763\r\n",
        "movies.csv": "movieId,title,genres\r\n1,Café Müller (1983),Comedy|Drama\r\n"
        '2,"Sea, The ""Quiet"" One (2006–2007)",(no genres listed)\r\n30,No Year Given,Drama\r\n',
    },
}
RATINGS_FILE = {name: next(iter(files)) for name, files in FILES.items()}
MOVIES_FILE = {name: list(files)[1] for name, files in FILES.items()}


def write(folder: Path, name: str, **other: str | bytes | None) -> Path:
    """Writes a small data set; `ratings` and `movies` replace a file's contents, None leaves it out."""
    folder.mkdir(parents=True)
    contents = {"ratings": FILES[name][RATINGS_FILE[name]], "movies": FILES[name][MOVIES_FILE[name]]} | other
    for what, file in (("ratings", RATINGS_FILE[name]), ("movies", MOVIES_FILE[name])):
        text = contents[what]
        if text is not None:
            encoding = "utf-8" if name == "ml-latest-small" else "latin-1"
            (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> Path:
    """No test sees, or leaves anything in, the cache of the person who runs it."""
    cache = tmp_path / "cache"
    monkeypatch.setattr(movielens, "_cache", lambda: cache)
    return cache


@pytest.fixture
def data_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def small(monkeypatch):
    """Makes every data set count as whole with 4 ratings, 3 users and 3 films."""
    for name, archive in movielens.ARCHIVES.items():
        layout = dataclasses.replace(archive.layout, n_ratings=4, n_users=3, n_movies=3)
        monkeypatch.setitem(movielens.ARCHIVES, name, dataclasses.replace(archive, layout=layout))


# ---- what a whole data set reads as


@pytest.mark.parametrize("name", FILES)
def test_ratings_come_in_the_order_of_the_file_with_their_position(name, small, data_dir):
    write(data_dir / name, name)
    ratings, _ = movielens.load(name)
    assert ratings["user_id"].tolist() == [2, 1, 3, 2]
    assert ratings["rating"].tolist() == ([4.5, 0.5, 1.0, 3.0] if name == "ml-latest-small" else [4.0, 5.0, 1.0, 3.0])
    assert ratings["position"].tolist() == [0, 1, 2, 3]
    expected = {"user_id": "int32", "item_id": "int32", "rating": "float32", "timestamp": "int64", "position": "int64"}
    assert ratings.dtypes.astype(str).to_dict() == expected


def test_films_of_ml_100k_have_title_year_and_genres(small, data_dir):
    write(data_dir / "ml-100k", "ml-100k")
    _, movies = movielens.load("ml-100k")
    assert movies["item_id"].dtype == np.int32
    assert movies["title"].tolist() == ["Café Müller", "unknown", "Quiet Sea (Mar quieta)"]
    assert movies["year"].tolist() == [1983, pd.NA, 1997]
    assert movies["genres"].tolist() == ["Action|Adventure", "", "Western"]


def test_films_of_ml_1m_may_have_single_colons_in_their_titles(small, data_dir):
    write(data_dir / "ml-1m", "ml-1m")
    _, movies = movielens.load("ml-1m")
    assert movies["title"].tolist() == ["Café Müller", "Two: Colons", "Sea"]
    assert movies["genres"].tolist() == ["Comedy|Drama", "War", "Drama"]


def test_films_of_a_csv_may_have_quotes_a_span_of_years_or_none(small, data_dir):
    write(data_dir / "ml-latest-small", "ml-latest-small")
    _, movies = movielens.load("ml-latest-small")
    assert movies["title"].tolist() == ["Café Müller", 'Sea, The "Quiet" One', "No Year Given"]
    assert movies["year"].tolist() == [1983, 2006, pd.NA]
    assert movies["genres"].tolist() == ["Comedy|Drama", "", "Drama"]


def test_two_films_may_share_a_title(small, data_dir):
    write(data_dir / "ml-1m", "ml-1m", movies="1::Twin (1983)::War\n2::Twin (1983)::War\n3::Other (1990)::War\n")
    assert movielens.load("ml-1m").movies["title"].tolist() == ["Twin", "Twin", "Other"]


def test_a_csv_with_unix_line_ends_reads_the_same(small, data_dir):
    unix = {what: text.replace("\r\n", "\n") for what, text in FILES["ml-latest-small"].items()}
    write(data_dir / "ml-25m", "ml-latest-small", ratings=unix["ratings.csv"], movies=unix["movies.csv"])
    assert movielens.load("ml-25m").ratings["item_id"].tolist() == [30, 1, 30, 1]


def test_a_last_rating_without_a_line_end_is_whole(small, data_dir):
    write(data_dir / "ml-100k", "ml-100k", ratings=FILES["ml-100k"]["u.data"].rstrip("\n"))
    assert len(movielens.load("ml-100k").ratings) == 4


def test_synthetic_needs_no_file():
    ratings, movies = movielens.load("synthetic")
    assert (len(ratings), len(movies)) == (100_000, 1_682)


@pytest.mark.parametrize(("value", "name"), [(None, "ml-100k"), ("", "ml-100k"), ("synthetic", "synthetic")])
def test_the_default_data_set_is_ml_100k_unless_the_environment_names_one(value, name, monkeypatch):
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    if value is not None:
        monkeypatch.setenv("COURSE_DATASET", value)
    assert movielens.default_name() == name


def test_a_lesson_may_name_another_default_which_the_environment_overrules(monkeypatch):
    monkeypatch.delenv("COURSE_DATASET", raising=False)
    assert movielens.default_name("ml-latest-small") == "ml-latest-small"
    monkeypatch.setenv("COURSE_DATASET", "synthetic")
    assert movielens.default_name("ml-latest-small") == "synthetic"


# ---- what a damaged one says


def error_of(name: str) -> str:
    with pytest.raises(DataError) as caught:
        movielens.load(name)
    message = str(caught.value)
    assert "\n" not in message
    return message


def with_line(name: str, number: int, line: str) -> str:
    """The small ratings file with one of its lines, counted from 1, replaced."""
    lines = FILES[name][RATINGS_FILE[name]].split("\n")
    lines[number - 1] = line
    return "\n".join(lines)


TABS, COLONS, COMMAS = "4 tab-separated whole numbers", "4 whole numbers separated by ::", "4 comma-separated numbers"


@pytest.mark.parametrize(
    ("name", "number", "line", "expected"),
    [
        pytest.param("ml-100k", 3, "12\t3", TABS, id="line cut short"),
        pytest.param("ml-100k", 3, "1\t1\t5\t881250949\t7", TABS, id="a fifth column"),
        pytest.param("ml-100k", 3, "", TABS, id="blank line"),
        pytest.param("ml-100k", 2, "1,1,5,881250949", TABS, id="commas"),
        pytest.param("ml-100k", 2, "1\tone\t5\t881250949", TABS, id="a word"),
        pytest.param("ml-100k", 2, "1\t\t5\t881250949", TABS, id="nothing between two tabs"),
        pytest.param("ml-100k", 4, "99999999999\t1\t5\t881250949", TABS, id="a number beyond 32 bits"),
        pytest.param("ml-100k", 2, "1\t1\x00\t5\t881250949", TABS, id="a zero byte"),
        pytest.param("ml-100k", 2, '"1\t1\t5\t881250949', TABS, id="a quote that never closes"),
        pytest.param("ml-100k", 2, '1\t"1"\t5\t881250949', TABS, id="a number in quotes"),
        pytest.param("ml-100k", 2, "4\t1\t5\t881250949", "a user id from 1 to 3", id="user after the last"),
        pytest.param("ml-100k", 2, "0\t1\t5\t881250949", "a user id from 1 to 3", id="user 0"),
        pytest.param("ml-100k", 2, "-1\t1\t5\t881250949", "a user id from 1 to 3", id="negative user"),
        pytest.param("ml-100k", 2, "1\t4\t5\t881250949", "an item id from 1 to 3", id="item after the last"),
        pytest.param("ml-100k", 2, "1\t1\t6\t881250949", "a rating of 1 to 5 stars", id="6 stars"),
        pytest.param("ml-100k", 2, "1\t1\t0\t881250949", "a rating of 1 to 5 stars", id="0 stars"),
        pytest.param("ml-100k", 2, "1\t1\t3.5\t881250949", "a rating of 1 to 5 stars in steps of 1", id="half star"),
        pytest.param("ml-100k", 4, "2\t1\t3\t88125", "a time of at least 788918400 seconds", id="time cut short"),
        pytest.param("ml-1m", 2, "1::1::5", COLONS, id="three fields"),
        pytest.param("ml-1m", 2, "1:1:5:978300761", COLONS, id="single colons"),
        pytest.param("ml-1m", 2, "1:7:1:7:5:7:978300761", COLONS, id="numbers between the colons"),
        pytest.param("ml-latest-small", 3, "1,1,0.5", COMMAS, id="three values"),
        pytest.param("ml-latest-small", 3, "1,1,,978300761", "a rating of 0.5 to 5 stars", id="no rating"),
        pytest.param(
            "ml-latest-small", 3, "1,1,0.7,978300761", "a rating of 0.5 to 5 stars in steps of 0.5", id="0.7 stars"
        ),
        pytest.param(
            "ml-latest-small", 3, "1,1,nan,978300761", "a rating of 0.5 to 5 stars", id="not a number of stars"
        ),
        pytest.param(
            "ml-latest-small", 3, "1,7,0.5,978300761", "an item id that occurs in movies.csv", id="no such film"
        ),
        pytest.param("ml-latest-small", 1, "user,item,rating,time", "the header 'userId,movieId,", id="other columns"),
    ],
)
def test_a_bad_line_is_named_with_its_number_its_contents_and_what_was_expected(
    name, number, line, expected, small, data_dir
):
    write(data_dir / name, name, ratings=with_line(name, number, line))
    message = error_of(name)
    assert f"{RATINGS_FILE[name]}, line {number}: expected {expected}" in message
    assert (f"found {line!r}. Put" if line else "found nothing. Put") in message


def test_a_column_too_many_on_every_line_is_caught_on_the_first(small, data_dir):
    write(data_dir / "ml-100k", "ml-100k", ratings=FILES["ml-100k"]["u.data"].replace("\n", "\t881250949\n"))
    assert f"u.data, line 1: expected {TABS}" in error_of("ml-100k")


def test_a_file_cut_off_at_a_line_end_is_caught_by_its_row_count(small, data_dir):
    whole = FILES["ml-100k"]["u.data"]
    write(data_dir / "ml-100k", "ml-100k", ratings=whole[: whole.rindex("\n2\t1") + 1])
    assert "u.data, line 3: expected 4 ratings, found 3: the file was cut short" in error_of("ml-100k")


@pytest.mark.parametrize("files", [RATINGS_FILE, MOVIES_FILE], ids=["ratings", "movies"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_off_anywhere_is_never_taken_for_whole(name, files, small, data_dir):
    path = write(data_dir / name, name) / files[name]
    whole = path.read_bytes().rstrip()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert f"{files[name]}, line " in error_of(name)


def test_a_file_with_too_many_rows_is_not_the_genuine_one(small, data_dir):
    write(data_dir / "ml-100k", "ml-100k", ratings=FILES["ml-100k"]["u.data"] + "1\t3\t5\t881250949\n")
    assert "line 5: expected 4 ratings, found 5: this is not the genuine file" in error_of("ml-100k")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("<!DOCTYPE html>\n<html><body>Not found</body></html>\n", id="web page"),
        pytest.param("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n", id="pointer"),
        pytest.param(bytes(range(256)) * 4, id="binary"),
        pytest.param("", id="empty"),
        pytest.param("a,b\n1,2\n", id="another table"),
    ],
)
@pytest.mark.parametrize("what", ["ratings", "movies"])
def test_another_file_under_the_right_name_is_refused_by_its_first_line(name, wrong, what, small, data_dir):
    file = {"ratings": RATINGS_FILE, "movies": MOVIES_FILE}[what][name]
    write(data_dir / name, name, **{what: wrong})
    assert f"{file}, line 1: expected" in error_of(name)


def test_a_long_line_is_not_quoted_whole(small, data_dir):
    write(data_dir / "ml-100k", "ml-100k", ratings="x" * 5_000 + "\n")
    assert len(error_of("ml-100k")) < 400


@pytest.mark.parametrize(
    ("name", "movies", "expected"),
    [
        ("ml-100k", FILES["ml-100k"]["u.item"].replace("|1|1|", "|1|2|"), "u.item, line 1: expected 24 fields"),
        ("ml-100k", FILES["ml-100k"]["u.item"].replace("2|unknown", "unknown"), "u.item, line 2: expected 24 fields"),
        (
            "ml-100k",
            FILES["ml-100k"]["u.item"].replace("3|Quiet", "2|Quiet"),
            "u.item, line 3: expected an item id that",
        ),
        ("ml-1m", FILES["ml-1m"]["movies.dat"] + "4::Half a li", "movies.dat, line 4: expected 3 fields"),
        ("ml-1m", FILES["ml-1m"]["movies.dat"].split("3::")[0], "line 2: expected 3 films, found 2: the file was cut"),
        (
            "ml-latest-small",
            b"movieId,title,genres\n1,Caf\xe9,Drama\n",
            "movies.csv, line 2: expected 3 comma-separated",
        ),
        ("ml-latest-small", "movieId,title,genres\n1,The Film\n", "movies.csv, line 2: expected 3 comma-separated"),
        ("ml-latest-small", "movieId,title\n1,The Film\n", "movies.csv, line 1: expected the header"),
    ],
)
def test_a_bad_line_of_the_films_is_named(name, movies, expected, small, data_dir):
    write(data_dir / name, name, movies=movies)
    assert expected in error_of(name)


# ---- where a data set is looked for


@pytest.mark.parametrize(("what", "file"), [("ratings", "u.data"), ("movies", "u.item")])
def test_a_missing_file_is_named_with_its_folder(what, file, small, data_dir):
    write(data_dir / "ml-100k", "ml-100k", **{what: None})
    assert f"{data_dir / 'ml-100k'} is there, but holds no {file}. Put" in error_of("ml-100k")


def test_an_empty_folder_misses_both_files(data_dir):
    (data_dir / "ml-25m").mkdir()
    assert "holds no ratings.csv and no movies.csv" in error_of("ml-25m")


def test_a_data_folder_that_does_not_exist_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "nowhere"))
    assert "nowhere" in error_of("ml-100k")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("ml100k", "Did you mean ml-100k?"),
        ("ml-latest", "Did you mean ml-latest-small?"),
        ("netflix", "'netflix'. The"),
    ],
)
@pytest.mark.parametrize("function", [movielens.load, movielens.find, movielens.download])
def test_an_unknown_name_is_answered_with_the_known_ones(wrong, hint, function):
    with pytest.raises(DataError) as caught:
        function(wrong)
    assert hint in str(caught.value)
    assert all(name in str(caught.value) for name in movielens.DATASETS)


def test_the_data_folder_comes_before_the_cache(small, data_dir, own_cache):
    write(own_cache / "ml-100k", "ml-100k", ratings="garbage")
    assert movielens.find("ml-100k") == own_cache / "ml-100k"
    write(data_dir / "ml-100k", "ml-100k")
    assert movielens.find("ml-100k") == data_dir / "ml-100k"
    assert len(movielens.load("ml-100k").ratings) == 4


def test_synthetic_lies_nowhere_and_is_never_downloaded():
    assert movielens.find("synthetic") is None
    with pytest.raises(DataError, match="nothing to download"):
        movielens.download("synthetic")


# ---- the download, from a server on this machine


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
def server(small, monkeypatch):
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


# ---- the genuine files


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "n_ratings", "n_users", "n_rated", "n_movies", "mean"),
    [("ml-100k", 100_000, 943, 1_682, 1_682, 3.52986), ("ml-latest-small", 100_836, 610, 9_724, 9_742, 3.50156)],
)
def test_the_genuine_files_hold_what_their_readme_says(name, n_ratings, n_users, n_rated, n_movies, mean):
    ratings, movies = movielens.load(name)
    assert len(ratings) == n_ratings
    assert (ratings["user_id"].nunique(), ratings["item_id"].nunique(), len(movies)) == (n_users, n_rated, n_movies)
    assert ratings["rating"].mean() == pytest.approx(mean, abs=1e-5)
    assert not ratings.duplicated(["user_id", "item_id"]).any()
    assert movies["year"].dropna().between(1902, 2018).all()


@pytest.mark.realdata
def test_ml_100k_has_one_film_without_a_title_or_year_and_some_titles_twice():
    _, movies = movielens.load("ml-100k")
    assert movies.loc[movies["year"].isna(), "title"].tolist() == ["unknown"]
    assert movies.duplicated(["title", "year"]).sum() == 18
    assert (movies["genres"] == "").sum() == 2


@pytest.mark.realdata
def test_the_genuine_films_of_ml_1m_can_be_read():
    movies = movielens_files.read_movies(
        Path(os.environ["COURSE_DATA_DIR"]) / "ml-1m" / "movies.dat", movielens_files.ml_1m_layout()
    )
    assert len(movies) == 3_883
    assert movies["year"].notna().all()
