"""The strong rivals reach published figures on published test sets; benchmarks/retrieval.py prints the whole table."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from course_utils.baselines.popularity import Popularity

FILE = Path(__file__).resolve().parent.parent / "benchmarks" / "retrieval.py"
SAMPLED, FULL = "HR@10, 99 negatives", "HR@10, all items"


@pytest.fixture(scope="module")
def retrieval():
    spec = importlib.util.spec_from_file_location("retrieval_benchmark", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_negative_that_is_the_held_back_item_itself_does_not_count(retrieval):
    # Item 11 is the most popular, items 0 to 10 are equal; user 1's own target is among the negatives.
    users, items = np.array([0, 0, 1, 1]), np.array([11, 12, 11, 13])
    targets, negatives = np.array([1, 1]), np.array([[2, 3, 11], [2, 1, 11]])
    test = retrieval.HeldOut(users, items, np.array([0, 1]), targets, negatives, n_users=2, n_items=14)
    values = retrieval.evaluate(Popularity().fit(users, items, n_users=2, n_items=14), test)
    # One better, and two or one equal: ranks 1 + 1 + 1 and 1 + 1 + 1/2. NDCG of a rank r is 1 / log2(1 + r).
    assert values["NDCG@10, 99 negatives"] == pytest.approx([1 / np.log2(4), 1 / np.log2(3.5)])
    # Of the catalogue less the training items 1 + 1 (the other user's item) + ten equal others of items 0 to 10.
    assert values["MRR, all items"] == pytest.approx([1 / 7, 1 / 7])


@pytest.mark.slow
@pytest.mark.realdata
def test_als_ease_and_itempop_reach_the_published_figures_on_ncfs_own_test_items_and_negatives(retrieval):
    test = retrieval.read_ncf(Path(os.environ["COURSE_DATA_DIR"]) / "ncf-ml-1m")
    assert np.count_nonzero(test.negatives == test.targets[:, None]) == 156
    rivals = retrieval.models(regularisation=700, n_factors=64)
    values = {}
    for name in ("ItemPop", "EASE", "ALS", "Markov, last item"):
        model = rivals[name].fit(test.user_ids, test.item_ids, n_users=test.n_users, n_items=test.n_items)
        values[name] = retrieval.evaluate(model, test)
    hit_rates = {name: columns[SAMPLED].mean() for name, columns in values.items()}
    assert hit_rates["ItemPop"] == pytest.approx(0.4533, abs=0.005)  # Dacrema et al., RecSys 2019
    assert hit_rates["EASE"] >= 0.71
    assert hit_rates["ALS"] >= 0.715
    # What sampling hides: both comparisons are clear, and they contradict each other.
    rng = np.random.default_rng(0)
    sampled, full = (
        retrieval.paired_difference(
            values["Markov, last item"][name], values["ALS"][name], test.test_user_ids, rng, n_resamples=2000
        )
        for name in (SAMPLED, FULL)
    )
    assert sampled.high < 0 < full.low


@pytest.mark.realdata
def test_itempop_reaches_its_figure_on_the_split_of_recommender_pytorch(retrieval):
    test = retrieval.read_recommender_pytorch(Path(os.environ["COURSE_DATA_DIR"]) / "recommender_pytorch")
    model = Popularity().fit(test.user_ids, test.item_ids, n_users=test.n_users, n_items=test.n_items)
    # With other negatives the figure moves by 0.005.
    assert retrieval.evaluate(model, test)[SAMPLED].mean() == pytest.approx(0.41, abs=0.01)
