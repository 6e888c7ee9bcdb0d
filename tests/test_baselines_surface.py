"""What all rivals for retrieval and sequences share: how they are called, what they refuse, that they know taste."""

import subprocess
import sys

import numpy as np
import pytest
from baseline_data import random_pairs

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


@pytest.fixture
def two_tastes(rng):
    """60 users and 40 items; users of one half met ten of the twenty items of theirs, and nothing else."""
    items = np.concatenate([rng.permutation(20)[:10] + 20 * (user % 2) for user in range(60)])
    return np.repeat(np.arange(60), 10), items


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
