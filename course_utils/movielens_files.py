"""Reads the two files of a MovieLens data set, and says plainly what is wrong with a damaged one.

Pandas' fast parser reads the ratings. Only when it fails, or when a value is off, is the file read line by line to
find the line that an error message can name. Formats and counts are those of the README in each GroupLens archive (F.
M. Harper and J. A. Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5(4), 2015).
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ["user_id", "item_id", "rating", "timestamp"]
ML_100K_GENRES = (  # in the order of the 0/1 columns of u.item
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|Horror|Musical|"
    "Mystery|Romance|Sci-Fi|Thriller|War|Western"
)
NO_GENRE = {"unknown", "(no genres listed)"}
FIRST_SECOND = (
    788_918_400  # 1 January 1995, before the first MovieLens rating: a time cut short by a digit lies below it
)
YEAR_AT_END = re.compile(r"\s*\((\d{4})(?:[-–]\d{0,4})?\)(?:\s*\(V\))?\s*$")  # (1995), (2006–2007), (1995) (V)


class DataError(Exception):
    """A data set that is missing, damaged or unknown: one clear line that says what to do, in a notebook that alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Layout:
    """How the two files of a data set are written, and how much they hold when they are whole."""

    ratings_file: str
    movies_file: str
    n_ratings: int
    n_users: int
    n_movies: int
    star_step: float  # 1.0: whole stars from 1 to 5; 0.5: half stars from 0.5 to 5
    separator: str
    rating_line: re.Pattern
    rating_text: str  # `rating_line` in words
    movie_fields: Callable[[str], tuple[int, str, list[str]]]
    movie_text: str
    encoding: str = "utf-8"
    header: str | None = None
    movie_header: str | None = None


def _fields_of_u_item(line: str) -> tuple[int, str, list[str]]:
    item_id, title, _, _, _, *flags = line.split("|")
    if not set(flags) <= {"0", "1"}:
        raise ValueError
    flagged = zip(ML_100K_GENRES.split("|"), flags, strict=True)
    return int(item_id), title, [genre for genre, flag in flagged if flag == "1"]


def _fields_of_movies_dat(line: str) -> tuple[int, str, list[str]]:
    item_id, title, genres = line.split("::")
    return int(item_id), title, genres.split("|")


def _fields_of_movies_csv(line: str) -> tuple[int, str, list[str]]:
    ((item_id, title, genres),) = csv.reader([line], strict=True)
    return int(item_id), title, genres.split("|")


def ml_100k_layout() -> Layout:
    """u.data and u.item: tab and bar separated, Latin-1, no header."""
    return Layout(
        "u.data",
        "u.item",
        n_ratings=100_000,
        n_users=943,
        n_movies=1_682,
        star_step=1.0,
        separator="\t",
        rating_line=re.compile(r"\d{1,9}\t\d{1,9}\t\d{1,9}\t\d{1,10}"),
        rating_text="4 tab-separated whole numbers",
        movie_fields=_fields_of_u_item,
        movie_text="24 fields separated by |, the last 19 of them 0 or 1",
        encoding="latin-1",
    )


def ml_1m_layout() -> Layout:
    """ratings.dat and movies.dat: separated by two colons, Latin-1, no header."""
    return Layout(
        "ratings.dat",
        "movies.dat",
        n_ratings=1_000_209,
        n_users=6_040,
        n_movies=3_883,
        star_step=1.0,
        separator="::",
        rating_line=re.compile(r"\d{1,9}::\d{1,9}::\d{1,9}::\d{1,10}"),
        rating_text="4 whole numbers separated by ::",
        movie_fields=_fields_of_movies_dat,
        movie_text="3 fields separated by ::, the first a whole number",
        encoding="latin-1",
    )


def csv_layout(n_ratings: int, n_users: int, n_movies: int) -> Layout:
    """ratings.csv and movies.csv, as in ml-latest-small, ml-25m and ml-32m: UTF-8, with a header, half stars."""
    return Layout(
        "ratings.csv",
        "movies.csv",
        n_ratings=n_ratings,
        n_users=n_users,
        n_movies=n_movies,
        star_step=0.5,
        separator=",",
        rating_line=re.compile(r"\d{1,9},\d{1,9},\d{1,9}(\.\d{1,9})?,\d{1,10}"),
        rating_text="4 comma-separated numbers",
        movie_fields=_fields_of_movies_csv,
        movie_text="3 comma-separated fields, the first a whole number",
        header="userId,movieId,rating,timestamp",
        movie_header="movieId,title,genres",
    )


def read_movies(path: Path, layout: Layout) -> pd.DataFrame:
    """The films of a data set.

    returns   item_id int32, title str (without the year, not unique), year Int16 (missing where unknown), genres str
              ("A|B", or "" where none is known)
    Raises DataError, naming the file, the line and what was expected there.
    """
    contents = _read_bytes(path)
    rows, lines = [], contents.splitlines()
    if layout.movie_header is not None:
        _expect_header(path, layout.movie_header)
    skip = 0 if layout.movie_header is None else 1
    for number, line in enumerate(lines[skip:], start=1 + skip):
        try:
            item_id, title, genres = layout.movie_fields(line.decode(layout.encoding))
        except (ValueError, csv.Error):  # a wrong number of fields, no number, or not in this encoding
            raise _line_error(path, number, layout.movie_text) from None
        match = YEAR_AT_END.search(title)
        year = int(match[1]) if match else None
        rows.append((item_id, title[: match.start()] if match else title.strip(), year, genres))
    if not rows:
        raise _line_error(path, 1 + skip, layout.movie_text)
    if not contents.endswith(b"\n"):  # a title or a list of genres that was cut short looks like any other
        raise _line_error(path, len(lines), "a line end after the last film")
    if len(rows) != layout.n_movies:
        raise _count_error(path, len(lines), len(rows), layout.n_movies, "films")

    movies = pd.DataFrame(rows, columns=["item_id", "title", "year", "genres"])
    movies["genres"] = ["|".join(genre for genre in genres if genre not in NO_GENRE) for genres in movies["genres"]]
    twice = movies["item_id"].duplicated().to_numpy()
    if twice.any():
        raise _line_error(path, skip + 1 + int(twice.argmax()), "an item id that occurs once")
    return movies.astype({"item_id": "int32", "year": "Int16"})


def read_ratings(path: Path, layout: Layout, item_ids: np.ndarray) -> pd.DataFrame:
    """The ratings of a data set, in the order of the file.

    item_ids   (n_movies,) int, the films that may be rated
    returns    user_id int32, item_id int32, rating float32 (stars), timestamp int64 (seconds since 1970), position
               int64 (0 is the first rating of the file)
    Raises DataError, naming the file, the line and what was expected there.
    """
    if layout.header is not None:
        _expect_header(path, layout.header)
    try:
        ratings = _parse_ratings(path, layout)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    except (
        ValueError,
        OverflowError,
    ) as error:  # pandas' ParserError is a ValueError; so is a number that does not fit
        raise _diagnose(path, layout, error) from None
    if ratings.empty:
        raise _line_error(path, 1 + (layout.header is not None), layout.rating_text)
    ratings.insert(4, "position", np.arange(len(ratings), dtype=np.int64))
    _expect_values(ratings, path, layout, item_ids)
    if len(ratings) != layout.n_ratings:
        n_lines = len(ratings) + (layout.header is not None)
        raise _count_error(path, n_lines, len(ratings), layout.n_ratings, "ratings")
    return ratings


def _parse_ratings(path: Path, layout: Layout) -> pd.DataFrame:
    """One line of the file, one row: no quotes, no blank lines skipped. Raises ValueError on anything else."""
    names = COLUMNS
    if layout.separator == "::":  # to a one-letter separator, "::" is an empty column between two others
        names = ["user_id", "empty_1", "item_id", "empty_2", "rating", "empty_3", "timestamp"]
    table = pd.read_csv(
        path,
        sep=layout.separator[0],
        names=names,
        skiprows=0 if layout.header is None else 1,
        dtype={"user_id": "int32", "item_id": "int32", "rating": "float32", "timestamp": "int64"},
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
        encoding="latin-1",  # the numbers are ASCII; other bytes must reach the line-by-line reading
    )
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError("more columns than expected")
    if not table[[name for name in names if name not in COLUMNS]].isna().all(axis=None):
        raise ValueError(f"columns not separated by {layout.separator}")
    return table[COLUMNS]


def _expect_values(ratings: pd.DataFrame, path: Path, layout: Layout, item_ids: np.ndarray) -> None:
    """Every value must lie where the README says. Raises DataError for the first bad value of the first bad column."""
    is_film = np.zeros(int(item_ids.max()) + 1, dtype=bool)
    is_film[item_ids] = True
    users, items, stars = (ratings[name].to_numpy() for name in ("user_id", "item_id", "rating"))
    for good, expected in [
        ((users >= 1) & (users <= layout.n_users), f"a user id from 1 to {layout.n_users}"),
        ((items >= 1) & (items < len(is_film)), f"an item id from 1 to {len(is_film) - 1}"),
        (is_film[items.clip(0, len(is_film) - 1)], f"an item id that occurs in {layout.movies_file}"),
        (
            (stars >= layout.star_step) & (stars <= 5) & (stars % layout.star_step == 0),
            f"a rating of {layout.star_step:g} to 5 stars in steps of {layout.star_step:g}",
        ),
        (ratings["timestamp"].to_numpy() >= FIRST_SECOND, f"a time of at least {FIRST_SECOND} seconds (the year 1995)"),
    ]:
        if not good.all():
            raise _line_error(path, int(good.argmin()) + 1 + (layout.header is not None), expected)


def _diagnose(path: Path, layout: Layout, error: Exception) -> DataError:
    """The first line that is not a rating, found the slow way."""
    with path.open(encoding="latin-1") as file:
        for number, line in enumerate(file, start=1):
            is_header = number == 1 and layout.header is not None
            if not is_header and not layout.rating_line.fullmatch(line.rstrip("\n")):
                return _line_error(path, number, layout.rating_text)
    return DataError(f"{path}: expected {layout.rating_text} on each line ({error})")


def _expect_header(path: Path, header: str) -> None:
    first = _read_bytes(path, len(header) + 2).splitlines()[:1]
    if first != [header.encode()]:
        raise _line_error(path, 1, f"the header {header!r}")


def _read_bytes(path: Path, size: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file, and the data set is not complete without it") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error})") from None


def _line_error(path: Path, number: int, expected: str) -> DataError:
    with path.open(encoding="latin-1") as file:
        line = next(islice(file, number - 1, None), "").rstrip("\n")
    found = "nothing" if not line else repr(line if len(line) <= 60 else line[:57] + "...")
    return DataError(f"{path}, line {number}: expected {expected}, found {found}")


def _count_error(path: Path, n_lines: int, found: int, expected: int, what: str) -> DataError:
    state = "the file was cut short" if found < expected else "this is not the genuine file"
    return DataError(f"{path}, line {n_lines}: expected {expected:,} {what}, found {found:,}: {state}")
