"""Damaged MovieLens files are refused in one line, which names the place, what is there and what was expected."""

import pytest
from small_movielens import FILES, MOVIES_FILE, RATINGS_FILE, error_of, write

pytestmark = pytest.mark.usefixtures("own_cache")


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
    name, number, line, expected, small_archives, data_dir
):
    write(data_dir / name, name, ratings=with_line(name, number, line))
    message = error_of(name)
    assert f"{RATINGS_FILE[name]}, line {number}: expected {expected}" in message
    assert (f"found {line!r}. Put" if line else "found nothing. Put") in message


def test_a_column_too_many_on_every_line_is_caught_on_the_first(small_archives, data_dir):
    write(data_dir / "ml-100k", "ml-100k", ratings=FILES["ml-100k"]["u.data"].replace("\n", "\t881250949\n"))
    assert f"u.data, line 1: expected {TABS}" in error_of("ml-100k")


def test_a_file_cut_off_at_a_line_end_is_caught_by_its_row_count(small_archives, data_dir):
    whole = FILES["ml-100k"]["u.data"]
    write(data_dir / "ml-100k", "ml-100k", ratings=whole[: whole.rindex("\n2\t1") + 1])
    assert "u.data, line 3: expected 4 ratings, found 3: the file was cut short" in error_of("ml-100k")


@pytest.mark.parametrize("files", [RATINGS_FILE, MOVIES_FILE], ids=["ratings", "movies"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_off_anywhere_is_never_taken_for_whole(name, files, small_archives, data_dir):
    path = write(data_dir / name, name) / files[name]
    whole = path.read_bytes().rstrip()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert f"{files[name]}, line " in error_of(name)


def test_a_file_with_too_many_rows_is_not_the_genuine_one(small_archives, data_dir):
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
def test_another_file_under_the_right_name_is_refused_by_its_first_line(name, wrong, what, small_archives, data_dir):
    file = {"ratings": RATINGS_FILE, "movies": MOVIES_FILE}[what][name]
    write(data_dir / name, name, **{what: wrong})
    assert f"{file}, line 1: expected" in error_of(name)


def test_a_long_line_is_not_quoted_whole(small_archives, data_dir):
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
def test_a_bad_line_of_the_films_is_named(name, movies, expected, small_archives, data_dir):
    write(data_dir / name, name, movies=movies)
    assert expected in error_of(name)
