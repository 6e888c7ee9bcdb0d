"""A data set as a grader shows it to the notebooks that it runs: the same films and ratings under other ids, and
without the ratings that somebody's marks are worked out from. It lies in one file, COURSE_DATA_DIR/<name>/edition.npz.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FILE = "edition.npz"
NO_YEAR = -1


def make_edition(
    ratings: pd.DataFrame, movies: pd.DataFrame, held_out: np.ndarray, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give users and items each other's ids at random, and leave out what is held out.

    ratings   as movielens.load returns them
    movies    likewise; every film keeps its title, year and genres
    held_out  (n,) int, the `position` of ratings to leave out
    returns   (ratings, movies), in the order of the given ones; positions are numbered anew
    """
    kept = ratings[~ratings["position"].isin(held_out)].sort_values("position")
    users, items = ratings["user_id"].unique(), movies["item_id"].to_numpy()
    new_user, new_item = (pd.Series(rng.permutation(ids), index=ids) for ids in (users, items))
    kept = kept.assign(
        user_id=kept["user_id"].map(new_user).astype(ratings["user_id"].dtype),
        item_id=kept["item_id"].map(new_item).astype(ratings["item_id"].dtype),
        position=np.arange(len(kept)),
    )
    return kept.reset_index(drop=True), movies.assign(item_id=new_item.to_numpy())


def write_edition(folder: Path, ratings: pd.DataFrame, movies: pd.DataFrame) -> None:
    """Write folder/edition.npz; the folder is made if need be. It holds no pickles."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {f"ratings.{name}": column.to_numpy() for name, column in ratings.items()}
    columns |= {f"movies.{name}": movies[name].to_numpy() for name in ("item_id",)}
    columns |= {f"movies.{name}": movies[name].to_numpy().astype(np.str_) for name in ("title", "genres")}
    columns["movies.year"] = movies["year"].fillna(NO_YEAR).to_numpy(dtype=np.int16)
    np.savez_compressed(folder / FILE, **columns)


def read_edition(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(ratings, movies) as `write_edition` wrote them, in the columns and types of movielens.load."""
    with np.load(folder / FILE, allow_pickle=False) as columns:
        tables = [
            pd.DataFrame({name.partition(".")[2]: columns[name] for name in columns.files if name.startswith(table)})
            for table in ("ratings.", "movies.")
        ]
    ratings, movies = tables
    movies["year"] = movies["year"].astype("Int16").mask(movies["year"] == NO_YEAR)
    return ratings, movies[["item_id", "title", "year", "genres"]]
