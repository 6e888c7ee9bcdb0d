"""Whole MovieLens data sets, where they are looked for, and the genuine files."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_movielens import FILES, error_of, write

from course_utils import movielens, movielens_files
from course_utils.movielens import DataError

pytestmark = pytest.mark.usefixtures("own_cache")


# What a data set reads as


@pytest.mark.parametrize("name", FILES)
def test_ratings_come_in_the_order_of_the_file_with_their_position(name, small_archives, data_dir):
    write(data_dir / name, name)
    ratings, _ = movielens.load(name)
    assert ratings["user_id"].tolist() == [2, 1, 3, 2]
    assert ratings["rating"].tolist() == ([4.5, 0.5, 1.0, 3.0] if name == "ml-latest-small" else [4.0, 5.0, 1.0, 3.0])
    assert ratings["position"].tolist() == [0, 1, 2, 3]
    expected = {"user_id": "int32", "item_id": "int32", "rating": "float32", "timestamp": "int64", "position": "int64"}
    assert ratings.dtypes.astype(str).to_dict() == expected


def test_films_of_ml_100k_have_title_year_and_genres(small_archives, data_dir):
    write(data_dir / "ml-100k", "ml-100k")
    _, movies = movielens.load("ml-100k")
    assert movies["item_id"].dtype == np.int32
    assert movies["title"].tolist() == ["Café Müller", "unknown", "Quiet Sea (Mar quieta)"]
    assert movies["year"].tolist() == [1983, pd.NA, 1997]
    assert movies["genres"].tolist() == ["Action|Adventure", "", "Western"]


def test_films_of_ml_1m_may_have_single_colons_in_their_titles(small_archives, data_dir):
    write(data_dir / "ml-1m", "ml-1m")
    _, movies = movielens.load("ml-1m")
    assert movies["title"].tolist() == ["Café Müller", "Two: Colons", "Sea"]
    assert movies["genres"].tolist() == ["Comedy|Drama", "War", "Drama"]


def test_films_of_a_csv_may_have_quotes_a_span_of_years_or_none(small_archives, data_dir):
    write(data_dir / "ml-latest-small", "ml-latest-small")
    _, movies = movielens.load("ml-latest-small")
    assert movies["title"].tolist() == ["Café Müller", 'Sea, The "Quiet" One', "No Year Given"]
    assert movies["year"].tolist() == [1983, 2006, pd.NA]
    assert movies["genres"].tolist() == ["Comedy|Drama", "", "Drama"]


def test_two_films_may_share_a_title(small_archives, data_dir):
    write(data_dir / "ml-1m", "ml-1m", movies="1::Twin (1983)::War\n2::Twin (1983)::War\n3::Other (1990)::War\n")
    assert movielens.load("ml-1m").movies["title"].tolist() == ["Twin", "Twin", "Other"]


def test_a_csv_with_unix_line_ends_reads_the_same(small_archives, data_dir):
    unix = {what: text.replace("\r\n", "\n") for what, text in FILES["ml-latest-small"].items()}
    write(data_dir / "ml-25m", "ml-latest-small", ratings=unix["ratings.csv"], movies=unix["movies.csv"])
    assert movielens.load("ml-25m").ratings["item_id"].tolist() == [30, 1, 30, 1]


def test_a_last_rating_without_a_line_end_is_whole(small_archives, data_dir):
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


# Where it is looked for


@pytest.mark.parametrize(("what", "file"), [("ratings", "u.data"), ("movies", "u.item")])
def test_a_missing_file_is_named_with_its_folder(what, file, small_archives, data_dir):
    write(data_dir / "ml-100k", "ml-100k", **{what: None})
    assert f"{data_dir / 'ml-100k'} is there, but holds no {file}. Put" in error_of("ml-100k")


def test_an_empty_folder_misses_both_files(data_dir):
    (data_dir / "ml-25m").mkdir()
    assert "holds no ratings.csv and no movies.csv" in error_of("ml-25m")


def test_a_data_folder_that_does_not_exist_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "nowhere"))
    assert "nowhere" in error_of("ml-100k")


def test_who_names_the_data_sets_own_folder_is_told_to_go_one_up(data_dir, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(write(data_dir / "ml-100k", "ml-100k")))
    assert "the folder of ml-100k itself: set it to the folder above" in error_of("ml-100k")


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


def test_the_data_folder_comes_before_the_cache(small_archives, data_dir, own_cache):
    write(own_cache / "ml-100k", "ml-100k", ratings="garbage")
    assert movielens.find("ml-100k") == own_cache / "ml-100k"
    write(data_dir / "ml-100k", "ml-100k")
    assert movielens.find("ml-100k") == data_dir / "ml-100k"
    assert len(movielens.load("ml-100k").ratings) == 4


def test_synthetic_lies_nowhere_and_is_never_downloaded():
    assert movielens.find("synthetic") is None
    with pytest.raises(DataError, match="nothing to download"):
        movielens.download("synthetic")


# The genuine files


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
