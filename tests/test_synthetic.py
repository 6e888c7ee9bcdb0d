import numpy as np
import pandas as pd
import pytest

from course_utils import splits, synthetic

FIRST_ROWS = [[853, 566, 2, 889664605], [856, 765, 4, 875092479], [63, 622, 4, 882264786]]


@pytest.fixture(scope="module")
def world() -> synthetic.World:
    return synthetic.generate()


@pytest.fixture(scope="module")
def events(world) -> pd.DataFrame:
    """The ratings in order of user and time, as the world drew them."""
    return world.ratings.sort_values(["user_id", "timestamp", "position"], ignore_index=True)


# ---- shape


def test_the_default_world_has_the_size_and_the_types_of_ml_100k(world):
    ratings, movies = world.ratings, world.movies
    assert (len(ratings), ratings["user_id"].nunique(), ratings["item_id"].nunique()) == (100_000, 943, 1_682)
    expected = {"user_id": "int32", "item_id": "int32", "rating": "float32", "timestamp": "int64", "position": "int64"}
    assert ratings.dtypes.astype(str).to_dict() == expected
    assert movies.dtypes.astype(str).to_dict() == {"item_id": "int32", "title": "str", "year": "Int16", "genres": "str"}
    assert ratings["position"].tolist() == list(range(100_000))
    assert movies["item_id"].tolist() == list(range(1, 1_683))


def test_every_user_has_twenty_ratings_and_no_pair_occurs_twice(world):
    assert world.ratings["user_id"].value_counts().min() >= 20
    assert not world.ratings.duplicated(["user_id", "item_id"]).any()


def test_the_stars_have_the_histogram_of_ml_100k(world):
    counts = world.ratings["rating"].value_counts().sort_index()
    assert counts.index.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert np.abs(counts.to_numpy() - [6_110, 11_370, 27_145, 34_174, 21_201]).max() <= 1


def test_popularity_has_a_long_tail(world):
    counts = np.sort(world.ratings["item_id"].value_counts().to_numpy())[::-1]
    assert 0.35 < counts[:168].sum() / 100_000 < 0.55  # the top tenth of the films; 0.43 in ML-100K
    assert counts[841:].sum() / 100_000 < 0.15  # the less popular half; 0.06 in ML-100K
    assert counts[0] > 400


def test_half_of_a_users_consecutive_events_share_their_second(events):
    same_user = events["user_id"].diff() == 0
    assert 0.48 < (events["timestamp"].diff()[same_user] == 0).mean() < 0.53


def test_the_rows_are_shuffled_so_that_order_by_time_must_be_worked_out(world):
    timestamps = world.ratings["timestamp"].to_numpy()
    assert 0.45 < (np.diff(timestamps) < 0).mean() < 0.55


def test_titles_are_unique_and_every_film_has_one_to_three_genres(world):
    assert world.movies["title"].is_unique
    assert world.movies["genres"].str.split("|").str.len().value_counts().index.isin([1, 2, 3]).all()
    assert world.movies["year"].between(1923, 1998).all()


# ---- reproducible


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    sizes = {"n_users": 60, "n_items": 80, "n_ratings": 2_000}
    one, same, other = (synthetic.generate(seed, **sizes) for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(one.ratings, same.ratings)
    pd.testing.assert_frame_equal(one.movies, same.movies)
    assert not one.ratings["rating"].equals(other.ratings["rating"])
    assert not one.movies["title"].equals(other.movies["title"])


def test_the_default_world_is_the_same_on_every_machine(world):
    # The first rows of seed 0, written down once. They change only if the recipe or NumPy's generator does.
    rows = world.ratings.head(3)[["user_id", "item_id", "rating", "timestamp"]]
    assert rows.to_numpy().astype(int).tolist() == FIRST_ROWS


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_ratings": 100}, "n_ratings=100 does not fit"),
        ({"n_ratings": 10_000_000}, "n_ratings=10000000 does not fit"),
        ({"n_users": 0}, "n_ratings=100000 does not fit: 0 users"),
        ({"n_users": 10, "n_items": 5_000, "n_ratings": 10_000}, "n_items=5000 is too many for 10 users"),
    ],
)
def test_sizes_that_cannot_be_met_are_refused_with_their_numbers(sizes, message):
    with pytest.raises(ValueError, match=message):
        synthetic.generate(**sizes)


@pytest.mark.parametrize(
    ("n_users", "n_items", "n_ratings"), [(60, 80, 1_200), (60, 80, 2_400), (10, 200, 700), (300, 41, 6_000)]
)
def test_worlds_of_other_sizes_keep_their_promises(n_users, n_items, n_ratings):
    ratings = synthetic.generate(1, n_users, n_items, n_ratings).ratings
    assert (len(ratings), ratings["user_id"].nunique(), ratings["item_id"].nunique()) == (n_ratings, n_users, n_items)
    assert ratings["user_id"].value_counts().min() >= 20
    assert not ratings.duplicated(["user_id", "item_id"]).any()


# ---- the truth of the stars


def test_the_best_rmse_is_the_rmse_of_the_true_expectation(world):
    ratings = world.ratings
    errors = ratings["rating"] - world.expected_stars(ratings["user_id"], ratings["item_id"])
    assert np.sqrt((errors**2).mean()) == pytest.approx(world.best_rmse(), abs=0.01)  # 4 standard errors
    assert errors.mean() == pytest.approx(0.0, abs=0.01)


def test_star_probabilities_agree_with_drawing_the_noise_again(world, rng):
    taste = sum(world.user_factors[4][factor] * world.item_factors[16][factor] for factor in range(6))
    score = world.user_biases[4] + world.item_biases[16] + taste
    scores = score + synthetic.NOISE * rng.standard_normal(200_000)
    edges = [-np.inf, *world.thresholds, np.inf]
    drawn = [np.mean((scores > edges[star]) & (scores <= edges[star + 1])) for star in range(5)]
    assert world.star_probs([5], [17])[0] == pytest.approx(drawn, abs=0.005)


def test_the_best_rmse_of_some_ratings_is_about_those_only(world):
    one = world.ratings.iloc[[0]]
    probs = world.star_probs(one["user_id"], one["item_id"])[0]
    mean = sum(stars * prob for stars, prob in zip(range(1, 6), probs, strict=True))
    variance = sum((stars - mean) ** 2 * prob for stars, prob in zip(range(1, 6), probs, strict=True))
    assert world.best_rmse(one) == pytest.approx(np.sqrt(variance))


def test_the_ladder_of_simple_models_is_that_of_ml_100k(world, rng):
    """Global mean 1.12, biases 0.94 on ML-100K; the floor leaves room below the 0.91 of good low-rank models."""
    train, test = splits.random_split(world.ratings, rng=rng)
    mean = train["rating"].mean()
    user, item = np.zeros(944), np.zeros(1_683)
    for _ in range(10):  # alternating damped means
        rest = train["rating"] - mean - user[train["user_id"]]
        item = np.bincount(train["item_id"], rest, 1_683) / (np.bincount(train["item_id"], minlength=1_683) + 5)
        rest = train["rating"] - mean - item[train["item_id"]]
        user = np.bincount(train["user_id"], rest, 944) / (np.bincount(train["user_id"], minlength=944) + 5)

    def rmse(scores):
        return float(np.sqrt(((test["rating"] - scores) ** 2).mean()))

    assert rmse(mean) == pytest.approx(1.12, abs=0.02)
    assert rmse(mean + user[test["user_id"]] + item[test["item_id"]]) == pytest.approx(0.94, abs=0.015)
    assert world.best_rmse(test) < 0.85


def test_genres_explain_a_part_of_taste_but_not_all(world):
    """The share of the taste vectors' variance that lies between the sets of genres, adjusted for their number."""
    factors, sets = world.item_factors, pd.factorize(world.movies["genres"])[0]
    sizes = np.bincount(sets)
    means = np.stack([np.bincount(sets, column) / sizes for column in factors.T], axis=1)
    within = ((factors - means[sets]) ** 2).sum() / (len(factors) - len(sizes))
    total = ((factors - factors.mean(axis=0)) ** 2).sum() / (len(factors) - 1)
    assert 0.3 < 1 - within / total < 0.7


# ---- the truth of the order


def test_next_item_probabilities_add_up_to_one_and_spare_what_the_user_has_had(world, events):
    history = events.loc[events["user_id"] == 1, "item_id"].to_numpy()[:30]
    probs = world.next_item_probs(1, history)
    assert probs.sum() == pytest.approx(1.0)
    assert (probs[history - 1] == 0).all()
    assert (probs >= 0).all()


def test_users_choose_as_the_true_probabilities_say(world, events):
    """Over 2,000 events: the probability mass above the item drawn is uniform, if the probabilities are right."""
    places, hits, expected_hits = [], [], []
    for user_id, history in events[events["user_id"] <= 400].groupby("user_id")["item_id"]:
        items = history.to_numpy()
        for step in (5, 9, 12, 15, 19):
            probs = world.next_item_probs(user_id, items[:step])
            mine = probs[items[step] - 1]
            places.append(probs[probs > mine].sum() + mine / 2)
            top = np.argsort(-probs)[:10]
            hits.append(items[step] - 1 in top)
            expected_hits.append(probs[top].sum())
    assert np.mean(places) == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / len(places)))
    assert np.mean(hits) == pytest.approx(np.mean(expected_hits), abs=4 * 0.5 / np.sqrt(len(hits)))


def test_the_best_hit_rate_and_mrr_are_those_of_ranking_by_the_truth(world, events):
    hits, reciprocal_ranks = [], []
    for user_id, history in events.groupby("user_id")["item_id"]:
        items = history.to_numpy()
        probs = world.next_item_probs(user_id, items[:-1])
        rank = 1 + (probs > probs[items[-1] - 1]).sum()
        hits.append(rank <= 10)
        reciprocal_ranks.append(1 / rank)
    best_hr, best_mrr = world.best_next_item(top_k=10)
    assert np.mean(hits) == pytest.approx(best_hr, abs=4 * np.std(hits) / np.sqrt(943))
    assert np.mean(reciprocal_ranks) == pytest.approx(best_mrr, abs=4 * np.std(reciprocal_ranks) / np.sqrt(943))


def test_a_longer_list_raises_the_best_hit_rate_and_the_whole_catalogue_has_every_item(world):
    rates = [world.best_next_item(top_k)[0] for top_k in (1, 10, 1_682)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)


def test_the_item_before_the_last_matters(world, events):
    """Order two: after the same last item, another strand before it points to other films."""
    history = events.loc[events["user_id"] == 1, "item_id"].to_numpy()[:30]
    last = history[-1]
    follow = []
    for strand in range(3):
        before = next(item for item in range(1, 1_683) if world.strands[item - 1] == strand and item not in history)
        follow.append(world.next_item_probs(1, np.array([before, last])))
    overlap = [np.minimum(follow[a], follow[b]).sum() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert max(overlap) < 0.9  # the rest, drawn by popularity and taste, makes 0.6 of the overlap
