"""Our sequence models and evaluation beside the original Spotlight: live where it is installed (marker spotlight), and
otherwise by the figures that it gave on ML-100K.

The figures were measured with Spotlight at 75f4c8c, Python 3.11, NumPy 2.4.6, torch 2.13.0 on the CPU, one thread. Seed
s means: users split 80/20 by RandomState(s), windows of ten, and a model with another RandomState(s).
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from course_utils.spotlight import evaluation
from course_utils.spotlight.cross_validation import user_based_train_test_split
from course_utils.spotlight.datasets.movielens import get_movielens_dataset
from course_utils.spotlight.datasets.synthetic import generate_sequential
from course_utils.spotlight.evaluation import sequence_mrr_score
from course_utils.spotlight.sequence.implicit import ImplicitSequenceModel
from course_utils.spotlight.sequence.representations import CNNNet

REPRESENTATIONS = ["pooling", "lstm", "cnn", "mixture"]
LOSSES = ["pointwise", "bpr", "hinge", "adaptive_hinge"]
SEEDS = range(10)

# Without the original

TEST_MRR = {  # n_iter=3; seed: (nothing excluded, items before excluded)
    ("pooling", "pointwise"): {
        0: (0.04403054872644669, 0.05046865839258001),
        1: (0.04386467221927826, 0.047849148310005904),
        2: (0.04071640111841091, 0.044234616993917154),
        3: (0.044187576799033595, 0.04965507456130565),
    },
    ("pooling", "bpr"): {0: (0.046470557815253805, None)},
    ("pooling", "hinge"): {0: (0.045493540227888415, None)},
    ("pooling", "adaptive_hinge"): {0: (0.051113670064874765, None)},
    ("lstm", "pointwise"): {0: (0.01761539635955527, None)},
    ("cnn", "hinge"): {0: (0.03952602241601195, None)},
}


@pytest.mark.realdata
@pytest.mark.parametrize(("representation", "loss"), TEST_MRR)
def test_the_mrr_of_the_original_is_reproduced(representation, loss):
    for seed, expected in TEST_MRR[representation, loss].items():
        train, test = (
            part.to_sequence() for part in user_based_train_test_split(get_movielens_dataset("100K"), random_state=seed)
        )
        model = ImplicitSequenceModel(loss, representation, n_iter=3, random_state=np.random.RandomState(seed))
        model.fit(train)
        for figure, exclude in zip(expected, (False, True), strict=True):
            if figure is not None:
                # Rounding swaps two items with nearly the same score; another draw moves the mean by 0.001 and more.
                result = sequence_mrr_score(model, test, exclude_preceding=exclude).mean()
                assert result == pytest.approx(figure, abs=2e-5)


# With the original


def world(module=None):
    """A Markov chain of order one on 80 items; of the original's class if its module is given."""
    data = generate_sequential(num_users=60, num_items=80, num_interactions=8000, order=1, random_state=0)
    if module is None:
        return data
    columns = (data.user_ids, data.item_ids, data.ratings, data.timestamps)
    return module.Interactions(*columns, num_users=data.num_users, num_items=data.num_items)


def both(original, seed, data=None, **settings):
    """The original's model and ours, fitted on the same windows with equal random states."""
    data = world().to_sequence() if data is None else data
    models = []
    for model_class in (original("sequence.implicit").ImplicitSequenceModel, ImplicitSequenceModel):
        models.append(model_class(random_state=np.random.RandomState(seed), **settings))
        models[-1].fit(data)
    return models


def all_scores(model, sequences):
    return np.stack([model.predict(sequence) for sequence in sequences])


@pytest.mark.spotlight
@pytest.mark.parametrize(
    "settings",
    [{}, {"max_sequence_length": 7, "step_size": 3}, {"min_sequence_length": 10}, {"max_sequence_length": 1}],
)
def test_windows_are_identical_to_the_originals(original, settings):
    theirs, ours = world(original("interactions")).to_sequence(**settings), world().to_sequence(**settings)
    for name in ("sequences", "user_ids"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
        assert getattr(ours, name).dtype == getattr(theirs, name).dtype
    assert (ours.num_items, ours.max_sequence_length) == (theirs.num_items, theirs.max_sequence_length)


@pytest.mark.spotlight
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("representation", REPRESENTATIONS)
@pytest.mark.parametrize("l2", [0.0, 1e-5])
def test_scores_agree_with_the_originals_after_two_epochs(original, representation, loss, l2):
    data = world().to_sequence()
    theirs, ours = both(original, 1, data, loss=loss, representation=representation, l2=l2, n_iter=2)
    # The order of float32 sums differs; a wrong draw, loss or step moves scores by 0.01 and more.
    assert ours.score_sequences(data.sequences) == pytest.approx(all_scores(theirs, data.sequences), abs=1e-4)


@pytest.mark.spotlight
@pytest.mark.parametrize(
    "settings",
    [
        {"num_layers": 3, "kernel_width": 2, "dilation": (1, 2, 4)},
        {"num_layers": 2, "kernel_width": (5, 3), "nonlinearity": "relu", "residual_connections": False},
    ],
)
def test_stacked_convolutions_agree_with_the_originals(original, settings):
    data, models = world().to_sequence(), []
    for net_class, model_class in (
        (original("sequence.representations").CNNNet, original("sequence.implicit").ImplicitSequenceModel),
        (CNNNet, ImplicitSequenceModel),
    ):
        torch.manual_seed(0)
        net = net_class(data.num_items, **settings)
        models.append(model_class(representation=net, n_iter=2, random_state=np.random.RandomState(1)))
        models[-1].fit(data)
    theirs, ours = models
    assert ours.score_sequences(data.sequences) == pytest.approx(all_scores(theirs, data.sequences), abs=1e-4)


def padding_last(model):
    """The model, with the padding item behind all others: the original ranks it among them, ours does not."""

    def predict(sequence):
        scores = model.predict(sequence)
        scores[0] = -np.inf
        return scores

    return SimpleNamespace(predict=predict)


@pytest.mark.spotlight
def test_evaluation_is_the_originals(original):
    """On a model of the original, through its predict, and on ours, through score_sequences."""
    theirs = original("evaluation")
    windows = world().to_sequence(min_sequence_length=10)
    for model in both(original, 2, windows, n_iter=5):
        for exclude in (False, True):
            expected = theirs.sequence_mrr_score(padding_last(model), windows, exclude_preceding=exclude)
            result = evaluation.sequence_mrr_score(model, windows, exclude_preceding=exclude)
            assert result.mean() == pytest.approx(expected.mean(), abs=1e-6)
        precision, _ = evaluation.sequence_precision_recall_score(model, windows, k=3)
        scores = all_scores(model, windows.sequences[:, :-3])
        # Where the padding item is not among the three best, which is what ours leaves out, the figures are equal.
        kept = scores[:, 0] < np.sort(scores, axis=1)[:, -3]
        assert kept.mean() > 0.5
        expected, _ = theirs.sequence_precision_recall_score(model, windows, k=3)
        assert precision[kept] == pytest.approx(expected[kept], abs=1e-6)


@pytest.mark.spotlight
def test_evaluation_of_pairs_is_the_originals(original):
    theirs = original("evaluation")
    rng = np.random.default_rng(0)
    data = world(original("interactions"))
    half = rng.random(len(data)) < 0.5
    train, test = (
        original("interactions").Interactions(
            data.user_ids[rows], data.item_ids[rows], data.ratings[rows], num_users=60, num_items=80
        )
        for rows in (half, ~half)
    )
    scores = rng.normal(size=(60, 80)).astype(np.float32)

    class Table:
        def predict(self, user_ids, item_ids=None):
            return scores[user_ids] if item_ids is None else scores[user_ids, item_ids]

    for known in (None, train):
        result, expected = (module.mrr_score(Table(), test, train=known) for module in (evaluation, theirs))
        assert result == pytest.approx(expected, abs=1e-6)
        for k in (4, [1, 5, 20]):
            result, expected = (
                module.precision_recall_score(Table(), test, train=known, k=k) for module in (evaluation, theirs)
            )
            for ours, their_values in zip(result, expected, strict=True):
                assert ours == pytest.approx(their_values, abs=1e-6)
    assert evaluation.rmse_score(Table(), test) == pytest.approx(theirs.rmse_score(Table(), test), abs=1e-6)


@pytest.mark.spotlight
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_over_ten_seeds_quality_has_the_originals_mean_and_spread(original, representation, loss):
    """Split and model seeded alike on both sides."""
    quality = []
    for seed in SEEDS:
        train, test = (part.to_sequence() for part in user_based_train_test_split(world(), random_state=seed))
        models = both(original, seed, train, loss=loss, representation=representation, n_iter=5, batch_size=64)
        quality.append([sequence_mrr_score(model, test).mean() for model in models])
    their_quality, our_quality = np.array(quality).T
    standard_error = np.sqrt((their_quality.var(ddof=1) + our_quality.var(ddof=1)) / len(SEEDS))
    assert abs(our_quality.mean() - their_quality.mean()) < 2 * standard_error
    assert our_quality.std(ddof=1) == pytest.approx(their_quality.std(ddof=1), rel=0.25)
