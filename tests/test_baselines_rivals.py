"""Rivals for retrieval and sequences: popularity, Markov counts, EASE, and the library's ALS and BPR."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from course_utils.baselines.ease import EASE
from course_utils.baselines.implicit_models import ALS, BPR
from course_utils.baselines.markov import Markov
from course_utils.baselines.pairs import scores_of_pairs
from course_utils.baselines.popularity import MostPopular, Popularity

MODELS = {
    "popularity": lambda: Popularity(),
    "most popular": lambda: MostPopular(),
    "markov": lambda: Markov(),
    "ease": lambda: EASE(regularisation=10),
    "als": lambda: ALS(n_factors=2, regularisation=1, rng=np.random.default_rng(0)),
    "bpr": lambda: BPR(n_factors=2, rng=np.random.default_rng(0)),
}
each_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def random_pairs(rng, n_users=40, n_items=25, share=0.2):
    """Who met what, in a random order."""
    users, items = np.nonzero(rng.random((n_users, n_items)) < share)
    order = rng.permutation(len(users))
    return users[order], items[order]


@pytest.fixture
def two_tastes(rng):
    """60 users and 40 items; users of one half met ten of the twenty items of theirs, and nothing else."""
    items = np.concatenate([rng.permutation(20)[:10] + 20 * (user % 2) for user in range(60)])
    return np.repeat(np.arange(60), 10), items


# Popularity


def test_popularity_counts_and_the_most_popular_of_equals_is_the_lowest_id():
    users, items = np.array([0, 0, 1, 1, 2]), np.array([2, 1, 2, 1, 3])
    assert Popularity().fit(users, items, n_users=3, n_items=5).score_users(np.array([0, 7])).tolist() == [
        [0, 2, 2, 1, 0],
        [0, 2, 2, 1, 0],
    ]
    assert MostPopular().fit(users, items, n_users=3, n_items=5).score_users(np.array([0])).tolist() == [
        [0, 1, 0, 0, 0]
    ]


@pytest.mark.parametrize("model", [Popularity(), MostPopular()])
def test_the_popular_is_the_same_after_every_window(model):
    model.fit(np.array([0, 0, 1]), np.array([1, 2, 2]), n_users=2, n_items=4)
    scores = model.score_sequences(np.array([[0, 0, 0, 2], [0, 1, 3, 2]]))
    assert scores.shape == (2, 4)
    assert scores.argmax(axis=1).tolist() == [2, 2]
    assert (scores[:, 0] == 0).all()  # the padding


# Markov counts


def test_markov_counts_are_those_worked_out_by_hand():
    # Histories 0 1 2 and 0 1. N_01 = 2, N_12 = 1 at lag 1, N_02 = 1/2 at lag 2; p = (2, 2, 1, 0) / 5.
    users, items = np.array([0, 1, 0, 0, 1]), np.array([0, 0, 1, 2, 1])
    model = Markov(n_lags=2, lag_decay=0.5, context_decay=0.5, smoothing=1).fit(users, items, n_users=3, n_items=4)
    p = np.array([0.4, 0.4, 0.2, 0])
    after_0 = (np.array([0, 2, 0.5, 0]) + p) / 3.5
    after_1 = (np.array([0, 0, 1, 0]) + p) / 2
    after_2 = p
    expected = [after_2 + 0.5 * after_1, after_1 + 0.5 * after_0, p]  # user 2 has no history
    assert model.score_users(np.array([0, 1, 2])) == pytest.approx(np.array(expected), abs=1e-6)
    # The same histories as windows, with items from 1 and column 0 for the padding.
    model.fit(users, items + 1, n_users=3, n_items=5)
    scores = model.score_sequences(np.array([[1, 2, 3], [0, 1, 2], [0, 0, 0]]))
    assert scores[:, 1:] == pytest.approx(np.array(expected), abs=1e-6)
    assert (scores[:, 0] == 0).all()


@pytest.mark.parametrize("n_lags", [1, 3, 9])
def test_markov_scores_agree_with_a_loop_over_histories(rng, n_lags):
    n_users, n_items = 12, 15
    users, items = rng.integers(0, n_users - 1, 150), rng.integers(0, n_items, 150)  # the last user has no history
    model = Markov(n_lags=n_lags).fit(users, items, n_users=n_users, n_items=n_items)
    histories = [items[users == user] for user in range(n_users)]
    counts, popularity = np.zeros((n_items, n_items)), np.bincount(items, minlength=n_items) / len(items)
    for history in histories:
        for late, item in enumerate(history):
            for early in range(max(0, late - n_lags), late):
                counts[history[early], item] += 0.8 ** (late - early - 1)
    after = (counts + 50 * popularity) / (counts.sum(axis=1, keepdims=True) + 50)
    for user, history in enumerate(histories):
        expected = sum((0.7**lag * after[item] for lag, item in enumerate(history[::-1][:n_lags])), np.zeros(n_items))
        expected = expected if len(history) else popularity
        assert model.score_users(np.array([user]))[0] == pytest.approx(expected, rel=1e-5)


def test_relabelling_users_and_mixing_their_rows_changes_no_markov_score(rng):
    users, items = rng.integers(0, 9, 80), rng.integers(0, 15, 80)
    renamed = rng.permutation(9)
    by_user = np.argsort(renamed[users], kind="stable")  # each user's rows keep their order
    before = Markov().fit(users, items, n_users=9, n_items=15).score_users(np.arange(9))
    after = Markov().fit(renamed[users][by_user], items[by_user], n_users=9, n_items=15).score_users(renamed)
    assert after == pytest.approx(before)


def test_markov_counts_find_a_planted_chain(rng):
    # After item a comes next_item[a] with probability 0.8, else any item: the best ranking has its right item on top
    # with probability 0.8 + 0.2 / 30, and nobody can know the order of the others.
    next_item = rng.permutation(30) + 1
    windows = np.empty((3000, 10), dtype=np.int64)
    windows[:, 0] = rng.integers(1, 31, 3000)
    for place in range(1, 10):
        surprise = rng.random(3000) < 0.2
        windows[:, place] = np.where(surprise, rng.integers(1, 31, 3000), next_item[windows[:, place - 1] - 1])
    users = np.repeat(np.arange(2000), 10)
    model = Markov(n_lags=1).fit(users, windows[:2000].ravel(), n_users=2000, n_items=31)
    scores = model.score_sequences(windows[2000:, :-1])
    hits = scores.argmax(axis=1) == windows[2000:, -1]
    assert hits.mean() == pytest.approx(0.8 + 0.2 / 30, abs=4 * np.sqrt(0.8 * 0.2 / 1000))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_lags": 0}, "n_lags must be at least 1, got 0"),
        ({"lag_decay": 1.1}, "lag_decay must be more than 0 and at most 1, got 1.1"),
        ({"context_decay": 0}, "context_decay"),
        ({"smoothing": 0}, "smoothing must be more than 0, got 0"),
    ],
)
def test_markov_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Markov(**settings)


# EASE


@pytest.mark.parametrize("n_users", [20, 60], ids=["fewer users than items", "more users than items"])
def test_ease_weights_are_those_of_a_ridge_regression_of_every_item_on_the_others(rng, n_users):
    users, items = random_pairs(rng, n_users, 25)
    model = EASE(regularisation=3).fit(users, items, n_users=n_users, n_items=25)
    seen = np.zeros((n_users, 25))
    seen[users, items] = 1
    assert (model.weights_.diagonal() == 0).all()
    for item in range(25):
        others = np.delete(seen, item, axis=1)
        weights = np.linalg.solve(others.T @ others + 3 * np.eye(24), others.T @ seen[:, item])
        assert np.delete(model.weights_[:, item], item) == pytest.approx(weights, abs=1e-5)
    assert model.score_users(np.arange(n_users)) == pytest.approx(seen @ model.weights_, abs=1e-5)


def test_ease_counts_a_pair_once_however_often_it_occurs(rng):
    users, items = random_pairs(rng)
    once = EASE().fit(users, items, n_users=40, n_items=25)
    twice = EASE().fit(np.tile(users, 2), np.tile(items, 2), n_users=40, n_items=25)
    assert np.array_equal(once.weights_, twice.weights_)


def test_ease_scores_a_window_like_a_user_who_met_its_items(rng):
    users, items = random_pairs(rng)
    model = EASE(regularisation=2).fit(users, items + 1, n_users=40, n_items=26)
    short = np.bincount(users, minlength=40) < 5
    windows = np.zeros((40, 5), dtype=np.int64)
    for user in np.flatnonzero(short):
        own = items[users == user] + 1
        windows[user, 5 - len(own) :] = own
    assert 2 < short.sum() < 40
    scores = model.score_sequences(windows)
    assert scores[short] == pytest.approx(model.score_users(np.flatnonzero(short)), abs=1e-6)
    assert model.score_sequences(windows[:, ::-1]) == pytest.approx(scores, abs=1e-6)  # it knows no order


def test_ease_refuses_a_catalogue_that_does_not_fit_the_memory():
    with pytest.raises(MemoryError, match=r"EASE needs 69\.7 GB for 59047 items, more than max_gb=8\.0"):
        EASE().fit(np.array([0]), np.array([0]), n_users=1, n_items=59_047)


def test_ease_needs_a_regularisation():
    with pytest.raises(ValueError, match="regularisation must be more than 0, got 0"):
        EASE(regularisation=0)


# The library's models


def test_als_solves_the_problem_that_its_parameters_are_described_by(rng):
    # With the users' vectors fixed, an item's vector v has the least Σ_u w_u (r_u - v·u)² + λ|v|² with w = α for those
    # who met it and 1 for the others: (UᵀU + (α - 1) Σ uuᵀ + λI) v = α Σ u, the sums over those who met it.
    users, items = random_pairs(rng, 50, 30)
    model = ALS(n_factors=4, regularisation=5, alpha=3, n_iter=200, rng=rng).fit(users, items, n_users=50, n_items=30)
    u = model.user_factors_.astype(np.float64)
    for item in range(30):
        met = u[users[items == item]]
        vector = np.linalg.solve(u.T @ u + 2 * met.T @ met + 5 * np.eye(4), 3 * met.sum(axis=0))
        assert model.item_factors_[item] == pytest.approx(vector, abs=1e-3)


@pytest.mark.parametrize("model_class", [ALS, BPR])
def test_the_librarys_models_repeat_themselves_and_say_nothing(rng, capfd, model_class):
    users, items = random_pairs(rng)
    sizes = {"n_users": 40, "n_items": 25}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, again, other = (
            model_class(n_factors=8, rng=np.random.default_rng(seed)).fit(users, items, **sizes).score_users(users)
            for seed in (1, 1, 2)
        )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert capfd.readouterr() == ("", "")


# All models


@pytest.mark.parametrize("name", ["ease", "als", "bpr", "markov"])
def test_a_model_with_taste_tells_two_tastes_apart(two_tastes, name):
    users, items = two_tastes
    scores = MODELS[name]().fit(users, items, n_users=60, n_items=40).score_users(np.arange(60))
    seen = np.zeros((60, 40), dtype=bool)
    seen[users, items] = True
    best_unseen = np.where(seen, -np.inf, scores).argmax(axis=1)
    assert (best_unseen // 20 == np.arange(60) % 2).all()  # by chance a third of the users


@each_model
def test_pairs_score_what_the_whole_catalogue_scores(rng, make):
    model = make().fit(*random_pairs(rng), n_users=40, n_items=25)
    users, items = rng.integers(0, 40, 200), rng.integers(0, 25, 200)
    scores, catalogue = model.predict(users, items), model.score_users(users)
    assert (scores.dtype, catalogue.dtype) == (np.float32, np.float32)
    assert scores == pytest.approx(catalogue[np.arange(200), items], rel=1e-5, abs=1e-6)
    assert model.predict(users[:1], items[:1]) == pytest.approx(scores[:1], rel=1e-5, abs=1e-6)
    assert model.predict(users[:0], items[:0]).shape == (0,)
    assert model.score_users(users[:0]).shape == (0, 25)


def test_a_pair_is_scored_once_per_user_in_small_batches(rng):
    table = rng.random((30, 8)).astype(np.float32)
    users, items = rng.integers(0, 30, 100), rng.integers(0, 8, 100)
    batches = []

    def score_users(user_ids):
        batches.append(user_ids)
        return table[user_ids]

    assert np.array_equal(scores_of_pairs(score_users, users, items, batch_size=7), table[users, items])
    assert np.array_equal(np.concatenate(batches), np.unique(users))
    assert max(map(len, batches)) == 7


@each_model
@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([], [], "no pairs"),
        ([0, 1], [0], "differ"),
        ([3], [0], "n_users=3"),
        ([0], [4], "n_items=4"),
        ([-1], [0], "from -1"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(make, users, items, message):
    with pytest.raises(ValueError, match=message):
        make().fit(np.array(users, int), np.array(items, int), n_users=3, n_items=4)


@each_model
def test_lists_are_taken_as_arrays_are(rng, make):
    users, items = random_pairs(rng)
    model = make().fit(users, items, n_users=40, n_items=25)
    again = make().fit(users.tolist(), items.tolist(), n_users=40, n_items=25)
    assert np.array_equal(again.predict([3, 1, 3], [0, 2, 4]), model.predict(np.array([3, 1, 3]), np.array([0, 2, 4])))
    assert np.array_equal(again.score_users([3, 1]), model.score_users(np.array([3, 1])))
    if hasattr(model, "score_sequences"):
        assert np.array_equal(again.score_sequences([[0, 3]]), model.score_sequences(np.array([[0, 3]])))


@each_model
def test_before_the_first_fit_a_model_says_what_to_call(make):
    asked = [lambda model: model.predict([0], [0]), lambda model: model.score_users([0])]
    if hasattr(make(), "score_sequences"):
        asked.append(lambda model: model.score_sequences([[1]]))
    for ask in asked:
        with pytest.raises(RuntimeError, match="this model has not been fitted: call fit first"):
            ask(make())


@each_model
def test_different_numbers_of_users_and_items_are_refused_instead_of_broadcast(rng, make):
    model = make().fit(*random_pairs(rng), n_users=40, n_items=25)
    for users, items in (([1], [0, 2]), ([1, 2], [0])):
        with pytest.raises(ValueError, match=r"user ids and . item ids differ"):
            model.predict(users, items)
    with pytest.raises(ValueError, match=r"user ids have the shape \(2, 1\)"):
        model.predict([[1], [2]], [0, 1])


@each_model
@pytest.mark.parametrize("ids", [[0.5, 1.0], [np.nan, 1.0], ["0", "1"]])
def test_ids_that_are_not_whole_numbers_are_refused(rng, make, ids):
    with pytest.raises(TypeError, match="user ids are whole numbers"):
        make().fit(ids, [0, 1], n_users=3, n_items=4)
    with pytest.raises(TypeError, match="item ids are whole numbers"):
        make().fit([0, 1], ids, n_users=3, n_items=4)
    with pytest.raises(TypeError, match="item ids are whole numbers"):
        make().fit(*random_pairs(rng), n_users=40, n_items=25).predict([0, 1], ids)


@pytest.mark.parametrize("model_class", [ALS, BPR])
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_factors": 0}, ValueError, "n_factors=0: at least 1"),
        ({"n_factors": 2.5}, TypeError, "n_factors=2.5: one whole number"),
        ({"n_iter": 0}, ValueError, "n_iter=0: at least 1"),
        ({"regularisation": -1}, ValueError, "regularisation must be at least 0, got -1"),
        ({"regularisation": np.nan}, ValueError, "regularisation must be at least 0, got nan"),
    ],
)
def test_settings_of_the_librarys_models_that_make_no_sense_are_refused(rng, model_class, settings, error, message):
    with pytest.raises(error, match=message):
        model_class(**settings, rng=rng)


@each_model
@pytest.mark.parametrize("bad", [-1, 25])
def test_an_item_outside_the_model_is_refused(rng, make, bad):
    model = make().fit(*random_pairs(rng), n_users=40, n_items=25)
    with pytest.raises(ValueError, match=str(bad)):
        model.predict(np.array([0]), np.array([bad]))


@pytest.mark.parametrize("name", ["ease", "als", "bpr", "markov"])
@pytest.mark.parametrize("bad", [-1, 40])
def test_a_user_outside_the_model_is_refused(rng, name, bad):
    model = MODELS[name]().fit(*random_pairs(rng), n_users=40, n_items=25)
    for ask in (lambda: model.score_users(np.array([bad])), lambda: model.predict(np.array([bad]), np.array([0]))):
        with pytest.raises(ValueError, match=str(bad)):
            ask()


@pytest.mark.parametrize("name", ["ease", "markov"])
@pytest.mark.parametrize(
    ("windows", "message"), [([1, 2], "found \\(2,\\)"), ([[1, 25]], "n_items=25"), ([[1, -1]], "from -1")]
)
def test_windows_that_do_not_fit_are_refused(rng, name, windows, message):
    model = MODELS[name]().fit(*random_pairs(rng), n_users=40, n_items=25)
    with pytest.raises(ValueError, match=message):
        model.score_sequences(np.array(windows))


def test_the_rivals_need_no_torch():
    modules = ("popularity", "markov", "ease", "implicit_models")
    code = "; ".join(f"import course_utils.baselines.{name}" for name in modules)
    subprocess.run([sys.executable, "-c", f"{code}; import sys; assert 'torch' not in sys.modules"], check=True)
