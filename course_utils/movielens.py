"""MovieLens by name: `ratings, movies = load("ml-100k")`.

A data set is looked for in three places: the folder COURSE_DATA_DIR/<name>, this user's cache, and GroupLens' own
download (https://grouplens.org/datasets/movielens/), which fills the cache. No MovieLens file comes with the course,
since the licences of ml-100k and ml-1m do not allow it; "synthetic" is made up on the spot and needs no file. Where a
grader has put an edition of its own (see editions) into COURSE_DATA_DIR/<name>, that is what the name stands for.

The MD5 sums are those that GroupLens publishes beside each archive; the SHA-256 of ml-latest-small is the one that
TensorFlow Datasets pins. They guard the download; the values are checked whenever a file is read.
"""

import difflib
import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pooch
import requests  # comes with Pooch
from tqdm import tqdm

from course_utils import synthetic
from course_utils.editions import FILE as EDITION_FILE
from course_utils.editions import read_edition
from course_utils.movielens_files import (
    DataError,
    Layout,
    csv_layout,
    ml_1m_layout,
    ml_100k_layout,
    read_movies,
    read_ratings,
)

__all__ = ["DATASETS", "DataError", "MovieLens", "default_name", "download", "find", "load"]

SYNTHETIC_SEED_VARIABLE = "COURSE_SYNTHETIC_SEED"
"""A grader draws a synthetic world of its own by this: seed 0, everybody's, would hold no secret."""

GROUPLENS = "https://files.grouplens.org/datasets/movielens/"


class MovieLens(NamedTuple):
    """
    ratings   user_id int32, item_id int32, rating float32 (stars), timestamp int64 (seconds since 1970), position int64
              (row in the data file, from 0: the tie rule of every order by time)
    movies    item_id int32, title str (without the year), year Int16 (missing where unknown), genres str ("A|B", or "")
    """

    ratings: pd.DataFrame
    movies: pd.DataFrame


@dataclass(frozen=True)
class _Archive:
    known_hash: str  # of <name>.zip, as Pooch writes it
    layout: Layout


ARCHIVES = {
    "ml-100k": _Archive("md5:0e33842e24a9c977be4e0107933c0723", ml_100k_layout()),
    "ml-latest-small": _Archive(
        "sha256:696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436", csv_layout(100_836, 610, 9_742)
    ),
    "ml-1m": _Archive("md5:c4d9eecfca2ab87c1945afe126590906", ml_1m_layout()),
    "ml-25m": _Archive("md5:6b51fb2759a8657d3bfcbfc42b592ada", csv_layout(25_000_095, 162_541, 62_423)),
    "ml-32m": _Archive("md5:d472be332d4daa821edc399621853b57", csv_layout(32_000_204, 200_948, 87_585)),
}
DATASETS = (*ARCHIVES, "synthetic")


def default_name(otherwise: str = "ml-100k") -> str:
    """The data set that lessons use: the environment variable COURSE_DATASET, or else the one that a lesson names."""
    return os.environ.get("COURSE_DATASET") or otherwise


def load(name: str) -> MovieLens:
    """Finds a data set, downloads it if need be, reads it and checks it. Raises DataError with what to do about it."""
    _check_name(name)
    folder = find(name)
    if folder and (folder / EDITION_FILE).is_file():
        return MovieLens(*read_edition(folder))
    if name == "synthetic":
        world = synthetic.generate(seed=int(os.environ.get(SYNTHETIC_SEED_VARIABLE, "0")))
        return MovieLens(world.ratings, world.movies)
    folder = folder or download(name)
    layout = ARCHIVES[name].layout
    missing = [file for file in (layout.ratings_file, layout.movies_file) if not (folder / file).is_file()]
    remedy = f"Put the genuine {name} files there, or remove the folder to have {name} downloaded"
    if missing:
        raise DataError(f"{folder} is there, but holds no {' and no '.join(missing)}. {remedy}")
    try:
        movies = read_movies(folder / layout.movies_file, layout)
        ratings = read_ratings(folder / layout.ratings_file, layout, movies["item_id"].to_numpy())
    except DataError as error:
        raise DataError(f"{error}. {remedy}") from None
    return MovieLens(ratings, movies)


def find(name: str) -> Path | None:
    """The folder of a data set on this machine: COURSE_DATA_DIR/<name>, else in the cache, else None."""
    _check_name(name)
    data_dir = os.environ.get("COURSE_DATA_DIR")
    if data_dir and not Path(data_dir).is_dir():
        raise DataError(f"COURSE_DATA_DIR is {data_dir!r}, and that is not a folder: correct it or unset it")
    if data_dir and name in ARCHIVES and (Path(data_dir) / ARCHIVES[name].layout.ratings_file).is_file():
        raise DataError(f"COURSE_DATA_DIR is {data_dir!r}, the folder of {name} itself: set it to the folder above")
    places = [Path(data_dir) / name] if data_dir else []
    return next((folder for folder in (*places, _cache() / name) if folder.is_dir()), None)


def download(name: str) -> Path:
    """Fetches a data set from GroupLens into the cache, unless it is there, and returns its folder.

    The archive's hash is checked before anything is unpacked, and the folder appears under its name only when it is
    whole. A download that broke off leaves its part behind, and the next call goes on from there.
    """
    _check_name(name)
    if name == "synthetic":
        raise DataError("synthetic is made up on the spot: there is nothing to download")
    folder = _cache() / name
    if folder.is_dir():
        return folder
    try:
        archive = pooch.retrieve(
            f"{GROUPLENS}{name}.zip",
            known_hash=ARCHIVES[name].known_hash,
            fname=f"{name}.zip",
            path=_cache(),
            downloader=_download_on,
        )
        _unpack(Path(archive), folder, ARCHIVES[name].layout)
    except Exception as error:  # no network, no space, a wrong hash, a refused certificate: the same three ways out
        reason = _in_one_line(error)
        raise DataError(
            f"{name} is not on this machine and could not be downloaded ({reason}). {_three_ways(name)}"
        ) from error
    return folder


def _in_one_line(error: Exception) -> str:
    if isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError):
        return f"no connection to {GROUPLENS}"
    return " ".join(str(error).split()) or type(error).__name__


def _three_ways(name: str) -> str:
    layout = ARCHIVES[name].layout
    return (
        f"Three ways to get data: put {layout.ratings_file} and {layout.movies_file} from {GROUPLENS}{name}.zip into "
        f"a folder named {name} and set COURSE_DATA_DIR to the folder above it; or run `course data {name}` where "
        "there is a network; or set COURSE_DATASET=synthetic to work with made-up data"
    )


def _check_name(name: str) -> None:
    if name not in DATASETS:
        close = difflib.get_close_matches(str(name), DATASETS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise DataError(f"there is no data set named {name!r}.{hint} The names are {', '.join(DATASETS)}")


def _cache() -> Path:
    return Path(pooch.os_cache("course-recommender"))


def _download_on(url: str, output_file: str, _: pooch.Pooch) -> None:
    """A Pooch downloader that keeps what has arrived in <archive>.part and asks only for the rest.

    Pooch checks the hash of output_file. By then the part is gone: after a wrong hash the next call starts anew.
    """
    part = _cache() / f"{url.rsplit('/', 1)[1]}.part"
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(url, headers=headers, stream=True, timeout=30) as response:
        if (
            response.status_code != requests.codes.requested_range_not_satisfiable
        ):  # which says that nothing is left to send
            response.raise_for_status()
            have = have if response.status_code == requests.codes.partial_content else 0
            size = have + int(response.headers.get("Content-Length", 0))
            with (
                part.open("ab" if have else "wb") as file,
                tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=part.stem) as progress,
            ):
                for chunk in response.iter_content(chunk_size=1 << 16):
                    progress.update(file.write(chunk))
    shutil.move(part, output_file)


def _unpack(archive: Path, folder: Path, layout: Layout) -> None:
    """Takes the two files out of the archive into a temporary folder, which then gets its name in one step."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        with zipfile.ZipFile(archive) as archived:
            for file in (layout.ratings_file, layout.movies_file):
                archived.extract(f"{folder.name}/{file}", scratch)
        (Path(scratch) / folder.name).rename(folder)
    archive.unlink()
