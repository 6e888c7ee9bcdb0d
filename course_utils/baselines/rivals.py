"""The table of rivals: every model of every task, with the settings that it is recorded with.

Spotlight's models are built through Spotlight's own module paths, by ours ("course") or by the original ("spotlight"),
so that either engine runs the same code here. Settings marked tuned are the best that were found for the original on
ml-100k; the search saw the users that results are reported on, though on other splits, so they are slightly optimistic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from course_utils.baselines.biases import DampedBiases
from course_utils.baselines.ease import EASE
from course_utils.baselines.implicit_models import ALS, BPR
from course_utils.baselines.markov import Markov
from course_utils.baselines.means import GlobalMean, ItemMean, UserMean
from course_utils.baselines.popularity import MostPopular, Popularity
from course_utils.baselines.protocols import WINDOW, ExplicitFold, RetrievalFold, SequenceFold

ENGINES = {"course": "course_utils.spotlight", "spotlight": "spotlight"}

Fit = Callable[[Any, int, str], Any]


@dataclass(frozen=True)
class Rival:
    """A model with its settings, ready to be run.

    fit       (fold, seed, engine) -> the fitted model, with what its task's protocol asks of it
    settings  what a table says about it
    engines   who can run it: both for Spotlight's models, "course" alone for all others
    """

    fit: Fit
    settings: dict = field(default_factory=dict)
    engines: tuple[str, ...] = ("course",)


def _explicit(model_class: type, **settings) -> Rival:
    def fit(fold: ExplicitFold, seed: int, engine: str):
        train = fold.train
        sizes = {"n_users": train.n_users, "n_items": train.n_items}
        return model_class(**settings).fit(train.user_ids, train.item_ids, train.ratings, **sizes)

    return Rival(fit, settings)


def _retrieval(model_class: type, *, seeded: bool = False, **settings) -> Rival:
    def fit(fold: RetrievalFold, seed: int, engine: str):
        train = fold.train
        model = model_class(**settings, **({"rng": np.random.default_rng(seed)} if seeded else {}))
        return model.fit(train.user_ids, train.item_ids, n_users=train.n_users, n_items=train.n_items)

    return Rival(fit, settings)


def _sequence(model_class: type, **settings) -> Rival:
    """Fitted on whole histories; those of equal time in the order of the data file, as in the windows."""

    def fit(fold: SequenceFold, seed: int, engine: str):
        train = fold.train
        order = np.argsort(train.timestamps, kind="stable")
        sizes = {"n_users": train.num_users, "n_items": train.num_items}
        return model_class(**settings).fit(train.user_ids[order], train.item_ids[order], **sizes)

    return Rival(fit, settings)


def _spotlight_explicit(*, clipped: bool, **settings) -> Rival:
    def fit(fold: ExplicitFold, seed: int, engine: str):
        train = fold.train
        interactions = _module(engine, "interactions").Interactions(
            train.user_ids.astype(np.int32),
            train.item_ids.astype(np.int32),
            train.ratings,
            num_users=train.n_users,
            num_items=train.n_items,
        )
        model_class = _module(engine, "factorization.explicit").ExplicitFactorizationModel
        model = model_class(**settings, random_state=np.random.RandomState(seed))
        model.fit(interactions)
        return _Clipped(model, train.ratings.min(), train.ratings.max()) if clipped else model

    return Rival(fit, {**settings, "clipped": clipped}, tuple(ENGINES))


def _spotlight_retrieval(**settings) -> Rival:
    def fit(fold: RetrievalFold, seed: int, engine: str):
        train = fold.train
        interactions = _module(engine, "interactions").Interactions(
            train.user_ids.astype(np.int32),
            train.item_ids.astype(np.int32),
            num_users=train.n_users,
            num_items=train.n_items,
        )
        model_class = _module(engine, "factorization.implicit").ImplicitFactorizationModel
        model = model_class(**settings, random_state=np.random.RandomState(seed))
        model.fit(interactions)
        return model if engine == "course" else _OneAtATime(model)

    return Rival(fit, settings, tuple(ENGINES))


def _spotlight_sequence(*, window: int = WINDOW, **settings) -> Rival:
    def fit(fold: SequenceFold, seed: int, engine: str):
        train = fold.train
        interactions = _module(engine, "interactions").Interactions(
            train.user_ids,
            train.item_ids,
            timestamps=train.timestamps,
            num_users=train.num_users,
            num_items=train.num_items,
        )
        model_class = _module(engine, "sequence.implicit").ImplicitSequenceModel
        model = model_class(**settings, random_state=np.random.RandomState(seed))
        model.fit(interactions.to_sequence(max_sequence_length=window))
        return model if engine == "course" else _OneAtATime(model)

    return Rival(fit, settings if window == WINDOW else {**settings, "window": window}, tuple(ENGINES))


def _module(engine: str, path: str):
    return import_module(f"{ENGINES[engine]}.{path}")


class _Clipped:
    """A model of stars that stay on the scale."""

    def __init__(self, model, low: float, high: float) -> None:
        self._model, self._low, self._high = model, low, high

    def predict(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        return self._model.predict(user_ids, item_ids).clip(self._low, self._high)


class _OneAtATime:
    """The original's models, which score all items for one user or one window in a call, under our methods' names."""

    def __init__(self, model) -> None:
        self.predict = model.predict

    def score_users(self, user_ids: np.ndarray) -> np.ndarray:
        return np.stack([self.predict(int(user_id)) for user_id in user_ids])

    def score_sequences(self, sequences: np.ndarray) -> np.ndarray:
        return np.stack([self.predict(sequence) for sequence in sequences])


MARKOV = {"n_lags": 9, "lag_decay": 0.8, "context_decay": 0.7, "smoothing": 50.0}

RIVALS: dict[str, dict[str, Rival]] = {
    "explicit": {
        "global_mean": _explicit(GlobalMean),
        "user_mean": _explicit(UserMean),
        "item_mean": _explicit(ItemMean),
        "damped_biases": _explicit(DampedBiases, damping=5.0),
        "spotlight": _spotlight_explicit(n_iter=3, clipped=False),
        "spotlight_tuned": _spotlight_explicit(embedding_dim=64, learning_rate=1e-3, n_iter=20, clipped=True),
    },
    "retrieval": {
        "popularity": _retrieval(Popularity),
        "ease": _retrieval(EASE, regularisation=400.0),
        "als": _retrieval(ALS, seeded=True, n_factors=32, regularisation=20.0, alpha=10.0),
        "bpr": _retrieval(BPR, seeded=True, n_factors=64),
        "markov": _retrieval(Markov, **MARKOV),
        "spotlight_pointwise": _spotlight_retrieval(loss="pointwise", n_iter=10),
        "spotlight_bpr": _spotlight_retrieval(loss="bpr", n_iter=10),
        "spotlight_hinge": _spotlight_retrieval(loss="hinge", n_iter=10),
        "spotlight_adaptive_hinge": _spotlight_retrieval(loss="adaptive_hinge", n_iter=10),
        "spotlight_tuned": _spotlight_retrieval(loss="adaptive_hinge", n_iter=10, batch_size=1024, l2=1e-6),
    },
    "sequence": {
        "most_popular": _sequence(MostPopular),
        "popularity": _sequence(Popularity),
        "markov_last": _sequence(Markov, **MARKOV | {"n_lags": 1}),
        "markov": _sequence(Markov, **MARKOV),
        "ease": _sequence(EASE, regularisation=400.0),
        "spotlight_pooling_pointwise": _spotlight_sequence(loss="pointwise", representation="pooling", n_iter=3),
        "spotlight_pooling": _spotlight_sequence(loss="adaptive_hinge", representation="pooling", n_iter=10),
        "spotlight_lstm": _spotlight_sequence(loss="adaptive_hinge", representation="lstm", n_iter=10),
        "spotlight_cnn": _spotlight_sequence(loss="adaptive_hinge", representation="cnn", n_iter=10),
        "spotlight_tuned": _spotlight_sequence(loss="adaptive_hinge", representation="lstm", n_iter=20, window=50),
    },
}
