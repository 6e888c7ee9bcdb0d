"""Code written for Spotlight runs with only `spotlight` replaced in its import lines: names, keywords and defaults."""

import contextlib
import importlib
import inspect
import io

import numpy as np
import pytest

from course_utils.spotlight.datasets import movielens

MODEL = "embedding_dim=32, n_iter=10, batch_size=256, l2=0.0, learning_rate=0.01, optimizer_func=None, use_cuda=False"
EMBEDDING = "embedding_dim=32"
FIT = "interactions, verbose=False"

# module -> name -> its arguments; of a class, those of the constructor, and then its public methods.
SURFACE = {
    "interactions": {
        "Interactions": "user_ids, item_ids, ratings=None, timestamps=None, weights=None, num_users=None, "
        "num_items=None",
        "Interactions.tocoo": "",
        "Interactions.tocsr": "",
        "Interactions.to_sequence": "max_sequence_length=10, min_sequence_length=None, step_size=None",
        "SequenceInteractions": "sequences, user_ids=None, num_items=None",
    },
    "cross_validation": {
        "shuffle_interactions": "interactions, random_state=None",
        "random_train_test_split": "interactions, test_percentage=0.2, random_state=None",
        "user_based_train_test_split": "interactions, test_percentage=0.2, random_state=None",
    },
    "evaluation": {
        "rmse_score": "model, test",
        "mrr_score": "model, test, train=None",
        "precision_recall_score": "model, test, train=None, k=10",
        "sequence_mrr_score": "model, test, exclude_preceding=False",
        "sequence_precision_recall_score": "model, test, k=10, exclude_preceding=False",
    },
    "factorization.explicit": {
        "ExplicitFactorizationModel": f"loss='regression', {MODEL}, representation=None, sparse=False, "
        "random_state=None",
        "ExplicitFactorizationModel.fit": FIT,
        "ExplicitFactorizationModel.predict": "user_ids, item_ids=None",
    },
    "factorization.implicit": {
        "ImplicitFactorizationModel": f"loss='pointwise', {MODEL}, representation=None, sparse=False, "
        "random_state=None, num_negative_samples=5",
        "ImplicitFactorizationModel.fit": FIT,
        "ImplicitFactorizationModel.predict": "user_ids, item_ids=None",
    },
    "factorization.representations": {
        "BilinearNet": f"num_users, num_items, {EMBEDDING}, user_embedding_layer=None, item_embedding_layer=None, "
        "sparse=False",
        "BilinearNet.forward": "user_ids, item_ids",
    },
    "sequence.implicit": {
        "ImplicitSequenceModel": f"loss='pointwise', representation='pooling', {MODEL}, sparse=False, "
        "random_state=None, num_negative_samples=5",
        "ImplicitSequenceModel.fit": FIT,
        "ImplicitSequenceModel.predict": "sequences, item_ids=None",
    },
    "sequence.representations": {
        "PoolNet": f"num_items, {EMBEDDING}, item_embedding_layer=None, sparse=False",
        "LSTMNet": f"num_items, {EMBEDDING}, item_embedding_layer=None, sparse=False",
        "CNNNet": f"num_items, {EMBEDDING}, kernel_width=3, dilation=1, num_layers=1, nonlinearity='tanh', "
        "residual_connections=True, sparse=False, benchmark=True, item_embedding_layer=None",
        "MixtureLSTMNet": f"num_items, {EMBEDDING}, num_mixtures=4, item_embedding_layer=None, sparse=False",
        **{
            f"{net}.{method}": arguments
            for net in ("PoolNet", "LSTMNet", "CNNNet", "MixtureLSTMNet")
            for method, arguments in (
                ("user_representation", "item_sequences"),
                ("forward", "user_representations, targets"),
            )
        },
    },
    "losses": {
        **{
            f"{loss}_loss": "positive_predictions, negative_predictions, mask=None"
            for loss in ("pointwise", "bpr", "hinge", "adaptive_hinge")
        },
        **{f"{loss}_loss": "observed_ratings, predicted_ratings" for loss in ("regression", "poisson", "logistic")},
    },
    "layers": {
        "BloomEmbedding": "num_embeddings, embedding_dim, compression_ratio=0.2, num_hash_functions=4, bag=False, "
        "padding_idx=0",
    },
    "sampling": {"sample_items": "num_items, shape, random_state=None"},
    "datasets.synthetic": {
        "generate_sequential": "num_users=100, num_items=1000, num_interactions=10000, concentration_parameter=0.1, "
        "order=3, random_state=None",
    },
    "datasets.movielens": {"get_movielens_dataset": "variant='100K'"},
}
NAMES = [(module, name) for module, names in SURFACE.items() for name in names]
CONSTANTS = [
    ("sequence.representations", "PADDING_IDX"),
    ("sequence.implicit", "PADDING_IDX"),
    ("evaluation", "FLOAT_MAX"),
]


def arguments(module, name):
    """The arguments of a function, constructor or method as a text, without annotations and self."""
    found = module
    for part in name.split("."):
        found = getattr(found, part)
    parameters = [p for p in inspect.signature(found).parameters.values() if p.name != "self"]
    return ", ".join(str(parameter.replace(annotation=parameter.empty)) for parameter in parameters)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_names_keywords_and_defaults_are_spotlights(module, name):
    assert arguments(importlib.import_module(f"course_utils.spotlight.{module}"), name) == SURFACE[module][name]


@pytest.mark.parametrize(("module", "name"), CONSTANTS)
def test_constants_are_where_spotlight_has_them(module, name):
    assert getattr(importlib.import_module(f"course_utils.spotlight.{module}"), name) in (0, np.finfo(np.float32).max)


@pytest.mark.spotlight
@pytest.mark.parametrize(("module", "name"), NAMES)
def test_the_list_above_is_what_the_original_has(original, module, name):
    assert arguments(original(module), name) == SURFACE[module][name]


# As one would write it for Spotlight: data, splits, three models, rivals with a predict of their own, evaluation.
SCRIPT = """
import numpy as np
import torch
from spotlight.cross_validation import random_train_test_split, user_based_train_test_split
from spotlight.datasets.movielens import get_movielens_dataset
from spotlight.evaluation import mrr_score, rmse_score, sequence_mrr_score
from spotlight.evaluation import precision_recall_score, sequence_precision_recall_score
from spotlight.factorization.explicit import ExplicitFactorizationModel
from spotlight.factorization.implicit import ImplicitFactorizationModel
from spotlight.layers import BloomEmbedding
from spotlight.sequence.implicit import ImplicitSequenceModel
from spotlight.sequence.representations import CNNNet


class Popularity:
    def __init__(self, train):
        self.counts = np.bincount(train.item_ids, minlength=train.num_items).astype(np.float32)

    def predict(self, sequences, item_ids=None):
        return self.counts


class MostPopular(Popularity):
    def predict(self, sequences, item_ids=None):
        return (np.arange(len(self.counts)) == self.counts.argmax()).astype(np.float32)


dataset = get_movielens_dataset(variant="100K")
print(dataset)

train, test = random_train_test_split(dataset, random_state=np.random.RandomState(0))
explicit = ExplicitFactorizationModel(n_iter=1, random_state=np.random.RandomState(0))
explicit.fit(train, verbose=False)
print("RMSE", rmse_score(explicit, test))
implicit = ImplicitFactorizationModel(loss="bpr", n_iter=1, random_state=np.random.RandomState(0))
implicit.fit(train)
print("MRR", mrr_score(implicit, test).mean(), mrr_score(implicit, test, train=train).mean())
for values in precision_recall_score(implicit, test, train=train, k=[5, 10]):
    print("at 5 and 10", *values.mean(axis=0))

train, test = user_based_train_test_split(dataset, random_state=np.random.RandomState(0))
rivals = [Popularity(train), MostPopular(train)]
train = train.to_sequence(max_sequence_length=10)
test = test.to_sequence(max_sequence_length=10, min_sequence_length=10)
print(train, test)
torch.manual_seed(0)
layer = BloomEmbedding(train.num_items, 32, compression_ratio=0.5)
network = CNNNet(train.num_items, item_embedding_layer=layer, kernel_width=5)
for representation in ("pooling", network):
    model = ImplicitSequenceModel(
        representation=representation,
        n_iter=1,
        optimizer_func=lambda parameters: torch.optim.Adam(parameters, lr=0.01),
        random_state=np.random.RandomState(0),
    )
    model.fit(train)
    print("sequence MRR", sequence_mrr_score(model, test).mean())
    print(model.predict(np.array([1, 50, 181]), item_ids=np.array([[3], [7]])).shape)
for rival in [model, *rivals]:
    print("excluded", sequence_mrr_score(rival, test, exclude_preceding=True).mean())
print("at 3", sequence_precision_recall_score(model, test, k=3)[0].mean())
"""


def printed(script):
    """Words and numbers that a script prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(script, {"__name__": "__main__"})
    return [word.strip("(),") for word in out.getvalue().split()]


@pytest.mark.realdata
def test_a_script_written_for_spotlight_runs():
    words = printed(SCRIPT.replace("from spotlight.", "from course_utils.spotlight."))
    assert sum(word.replace(".", "", 1).isdigit() and "." in word for word in words) == 13  # figures, none of them NaN


@pytest.mark.spotlight
@pytest.mark.realdata
def test_the_script_prints_the_same_figures_with_both(original, monkeypatch):
    data = movielens.get_movielens_dataset()
    columns = {name: getattr(data, name) for name in ("user_ids", "item_ids", "ratings", "timestamps")}
    # The original's loader downloads: it gets the same arrays.
    theirs = original("datasets.movielens")
    monkeypatch.setattr(
        theirs, "get_movielens_dataset", lambda variant: original("interactions").Interactions(**columns)
    )
    expected = printed(SCRIPT)
    words = printed(SCRIPT.replace("from spotlight.", "from course_utils.spotlight."))
    for word, their_word in zip(words, expected, strict=True):
        # Rounding may swap two items with nearly the same score; another draw moves the figures by 1e-4 and more.
        assert word == their_word or float(word) == pytest.approx(float(their_word), abs=1e-5)
