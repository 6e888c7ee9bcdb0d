"""The checks of lesson 03 accept every right answer and refuse every known mistake by name, in any world.

The answers are the reference's and those of tests/submissions/03_sequence_mrr, which real nbgrader grades in another
test. The ladder trains a model for each answer, and is climbed once each, on the synthetic data set by default.
"""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from corpus import (
    JUNK,
    Attempt,
    assert_is_as_expected,
    assert_is_explained,
    assert_is_refused,
    assert_learnt_by_heart_earns_nothing,
    attempts,
    expected_of,
    given,
    submissions,
    verdicts,
)
from sklearn.metrics import label_ranking_average_precision_score

from course_utils import movielens
from course_utils.baselines import recorded
from course_utils.baselines.protocols import PROTOCOLS
from course_utils.checks import sequence_mrr
from course_utils.checks.framework import checks_of
from course_utils.checks.sequence_mrr import rungs
from course_utils.checks.sequence_mrr.looking import expected_mrr
from course_utils.checks.sequence_mrr.windows import windows_by_hand
from course_utils.checks.verdict import Verdict
from course_utils.evaluation import ranks, reciprocal_rank
from course_utils.sequences import cut_windows

LESSON = "03_sequence_mrr"
LADDER = "ex-03-16-ladder"
CHECKS = checks_of(sequence_mrr)
CLASSES = ("cbow", "decayed_bag", "recurrent", "transformer")
SEEDS, MORE_SEEDS = range(3), range(3, 40)
SMALL = [(name, grade_id) for name, grade_id in given(LESSON) if grade_id != LADDER]
CLIMBS = [name for name, grade_id in given(LESSON) if grade_id == LADDER]
SPOTLIGHTS = ("spotlight_pooling_pointwise", "spotlight_pooling", "spotlight_lstm", "spotlight_cnn", "spotlight_tuned")


@pytest.fixture(autouse=True)
def _synthetic(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "synthetic")


def assert_gets_its_marks(name: str, grade_id: str, seeds: range) -> None:
    for seed, verdict in verdicts(LESSON, name, seeds, left_out=LADDER)[grade_id].items():
        assert_is_as_expected(verdict, expected_of(LESSON, name, grade_id), seed)


def climb(name: str, seed: int) -> Verdict:
    """The verdict of the ladder on a person's notebook, in a world that is not kept: it is of one data set."""
    patch = submissions(LESSON)[name]
    attempt = dict(attempts(LESSON, patch.sources, patch.rest))[LADDER]
    world = attempt.check.world(seed)
    return attempt.check.conclude(attempt.check.observe(attempt.answers, world, seed), world)


@pytest.mark.parametrize(("name", "grade_id"), SMALL)
def test_a_known_answer_gets_its_mark_and_its_words_in_three_worlds(name, grade_id):
    assert_gets_its_marks(name, grade_id, SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "grade_id"), SMALL)
def test_a_known_answer_gets_its_mark_and_its_words_in_thirty_seven_more_worlds(name, grade_id):
    assert_gets_its_marks(name, grade_id, MORE_SEEDS)


@pytest.mark.parametrize("name", CLIMBS)
def test_a_known_model_gets_as_high_on_the_ladder_as_it_should(name):
    verdict = climb(name, seed=0)
    assert_is_as_expected(verdict, expected_of(LESSON, name, LADDER))
    if verdict.status == "failed":
        assert_is_explained(verdict)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("dataset", ["ml-100k", "ml-latest-small"])
@pytest.mark.parametrize("name", CLIMBS)
def test_a_known_model_gets_as_high_on_the_ladder_of_genuine_ratings(name, dataset, monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", dataset)
    assert_is_as_expected(climb(name, seed=101), expected_of(LESSON, name, LADDER))


def test_the_reference_gets_full_points_on_everything():
    for grade_id, attempt in attempts(LESSON, {}, "reference"):
        for seed in (0,) if grade_id == LADDER else SEEDS:
            verdict = attempt.verdict(seed)
            assert (verdict.points, verdict.status) == (attempt.check.points, "ok"), verdict
            assert verdict.saw


def test_a_wrong_answer_is_told_what_was_called_and_what_was_expected():
    for name, grade_id in SMALL:
        verdict = verdicts(LESSON, name, SEEDS, left_out=LADDER)[grade_id][0]
        if verdict.status == "failed":
            assert_is_explained(verdict)


def test_what_was_learnt_by_heart_in_the_public_world_earns_nothing_in_a_secret_one():
    for grade_id, attempt in attempts(LESSON, {}, "reference"):
        if grade_id != LADDER:
            assert_learnt_by_heart_earns_nothing(attempt.check, attempt.answers, seed=7)


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", [name for name in CHECKS if name not in CLASSES])
def test_no_strange_result_breaks_a_judge_or_earns_points(name, kind):
    assert_is_refused(Attempt(CHECKS[name], (lambda *args: JUNK[kind],)).verdict(0))


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", CLASSES)
def test_no_strange_network_breaks_a_judge_or_earns_points(name, kind):
    class Net(torch.nn.Module):
        def __init__(self, *sizes):
            super().__init__()

        def forward(self, contexts):
            return JUNK[kind]

        states = forward

    assert_is_refused(Attempt(CHECKS[name], (Net,)).verdict(0))


def test_judges_and_worlds_work_without_torch():
    """As the trusted grader has it: probes run elsewhere, and torch is not loaded."""
    code = """
import sys
from course_utils.checks import sequence_mrr
from course_utils.checks.framework import checks_of
from course_utils.checks.observation import pack
for check in checks_of(sequence_mrr).values():
    assert check.conclude(pack({}), check.world(3)).points == 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_windows_by_hand_are_those_of_the_helper_package(rng):
    for n in (1, 4, 7, 12, 25):
        history = rng.integers(1, 50, n)
        for step in (1, 3, 6):
            rows = np.arange(n)
            cut = cut_windows(np.zeros(n, dtype=int), history, rows, length=6, step=step).sequences
            assert np.array_equal(windows_by_hand(history, 6, step), cut)


def test_reciprocal_ranks_of_the_reference_are_those_of_two_libraries(rng):
    reference = dict(attempts(LESSON, {}, "reference"))["ex-03-4-ranks"].answers[0]
    scores = rng.normal(size=(40, 30))
    targets = rng.integers(1, 30, 40)
    assert np.allclose(reference(scores, targets), reciprocal_rank(ranks(scores, targets, padding_item=0)))
    one_hot = np.eye(30)[targets][:, 1:]
    assert reference(scores, targets).mean() == pytest.approx(
        label_ranking_average_precision_score(one_hot, scores[:, 1:])
    )


def test_the_expected_mrr_of_the_truth_is_the_best_and_a_constant_gets_the_middle():
    chances = np.array([[0, 0.7, 0.2, 0.1]])
    assert expected_mrr(chances, chances) == pytest.approx(0.7 + 0.2 / 2 + 0.1 / 3)
    assert expected_mrr(-chances, chances) == pytest.approx(0.7 / 3 + 0.2 / 2 + 0.1)
    assert expected_mrr(0 * chances, chances) == pytest.approx(1 / 2)


def test_lists_of_a_hundred_give_the_reciprocal_ranks_of_the_whole_catalogue(rng):
    scores = np.round(rng.normal(size=(60, 300)), 1)  # many ties
    contexts, targets = rng.integers(1, 300, (60, 9)), rng.integers(1, 300, 60)
    free = ~(contexts == targets[:, None]).any(axis=1)
    seen = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(seen, contexts, True, axis=1)
    right = reciprocal_rank(ranks(scores, targets, padding_item=0, seen=seen))
    got = rungs.reciprocal_ranks(**rungs.top_of(scores, contexts), targets=targets)
    listed = free & (got > 0)
    assert listed.sum() > 10
    assert np.allclose(got[listed], right[listed])
    assert (right[free & (got == 0)] < 1 / 85).all()


def test_the_rungs_ask_for_more_the_higher_they_are():
    bars = rungs.bars(CHECKS["ladder"].world(0).for_judge())
    assert (np.diff(bars) >= 0).all()
    assert bars[0] > 0.02  # popularity's own, where there are 1,682 films
    assert sum(rung.points for rung in rungs.RUNGS) == 4


@pytest.mark.parametrize("dataset", ["ml-100k", "ml-latest-small", "synthetic"])
def test_a_rung_stands_above_its_rival_unless_it_allows_for_luck(dataset):
    for rung, distance in zip(rungs.RUNGS, rungs.distances(dataset), strict=True):
        rival, beside = (recorded.values(dataset, "sequence", name, rungs.METRIC) for name in (rung.model, rung.beside))
        assert distance == pytest.approx(np.mean(rival - beside) + rung.margin)
    with pytest.raises(LookupError, match="course baselines ml-1m"):
        rungs.distances("ml-1m")


def test_looked_up_films_earn_nothing():
    world = CHECKS["ladder"].world(0)

    def score_next_items(histories, contexts, n_items):
        scores = np.zeros((len(contexts), n_items))
        scores[np.arange(len(contexts)), world.secret["targets"]] = 1
        return scores

    verdict = Attempt(CHECKS["ladder"], (score_next_items,)).verdict(0)
    assert verdict.points == 0
    assert "looked up" in verdict.message


@pytest.mark.slow
@pytest.mark.realdata
def test_the_lessons_model_is_a_tenth_above_the_best_of_spotlight_on_five_splits():
    """Mean of five recorded splits, all films ranked: 0.068 with the context's films kept, 0.078 with them removed."""
    answer = dict(attempts(LESSON, {}, "reference"))[LADDER].answers[0]
    protocol, ratings = PROTOCOLS["sequence"], movielens.load("ml-100k").ratings
    figures = []
    for seed in range(5):
        fold = protocol.split(ratings, seed)
        order = np.lexsort((fold.train.timestamps, fold.train.user_ids))
        users, items = fold.train.user_ids[order], torch.as_tensor(fold.train.item_ids[order].astype(np.int64))
        histories = list(items.split(np.unique(users, return_counts=True)[1].tolist()))

        scores = np.asarray(answer(histories, torch.as_tensor(fold.contexts.astype(np.int64)), fold.train.num_items))
        figures.append(protocol.measure(SimpleNamespace(score_sequences=batch_by_batch(scores)), fold))
    kept, removed = np.mean(figures, axis=0)
    assert kept >= 0.068
    assert removed >= 0.078
    for got, metric in zip((kept, removed), protocol.metrics, strict=True):
        best = max(recorded.values("ml-100k", "sequence", model, metric)[:5].mean() for model in SPOTLIGHTS)
        assert got >= 1.1 * best


def batch_by_batch(scores: np.ndarray):
    """Scores of all windows, handed out batch by batch, as the protocol asks for them."""
    given = [0]

    def score_sequences(sequences: np.ndarray) -> np.ndarray:
        given[0] += len(sequences)
        return scores[given[0] - len(sequences) : given[0]]

    return score_sequences
