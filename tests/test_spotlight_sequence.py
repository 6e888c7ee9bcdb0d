"""Spotlight's sequence models under our own code."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.spotlight.evaluation import sequence_mrr_score
from course_utils.spotlight.interactions import SequenceInteractions
from course_utils.spotlight.layers import BloomEmbedding
from course_utils.spotlight.sequence.implicit import ImplicitSequenceModel
from course_utils.spotlight.sequence.representations import CNNNet, LSTMNet, MixtureLSTMNet, PoolNet

REPRESENTATIONS = {"pooling": PoolNet, "lstm": LSTMNet, "cnn": CNNNet, "mixture": MixtureLSTMNet}
LOSSES = ["pointwise", "bpr", "hinge", "adaptive_hinge"]
N_ITEMS = 30


def windows(n=40, length=6, seed=0):
    """Random windows with up to half of their places empty."""
    rng = np.random.default_rng(seed)
    sequences = rng.integers(1, N_ITEMS, (n, length))
    sequences[np.arange(length) < rng.integers(0, length // 2 + 1, n)[:, None]] = 0
    return SequenceInteractions(sequences.astype(np.int32), num_items=N_ITEMS)


def fitted(data=None, **settings):
    model = ImplicitSequenceModel(
        **{"embedding_dim": 8, "n_iter": 2, "batch_size": 16, "random_state": np.random.RandomState(1), **settings}
    )
    model.fit(windows() if data is None else data)
    return model


def nets(**settings):
    torch.manual_seed(0)
    made = {name: net(N_ITEMS, 8, **settings) for name, net in REPRESENTATIONS.items()}
    for net in made.values():
        with torch.no_grad():
            net.item_biases.weight[1:].normal_()
    return made.items()


# Representations


def test_the_pooled_state_is_the_sum_of_the_items_before_over_one_more_than_their_number():
    net = PoolNet(4, embedding_dim=1)
    with torch.no_grad():
        net.item_embeddings.weight[:, 0] = torch.tensor([0.0, 6.0, 12.0, 30.0])
    states, last = net.user_representation(torch.tensor([[0, 1, 2, 3]]))
    assert states.tolist() == [[[0, 0, 6 / 2, 18 / 3]]]  # before the padding, before item 1, 2, 3
    assert last.tolist() == [[48 / 4]]


def test_a_convolution_of_two_layers_is_the_one_worked_out_by_hand():
    net = CNNNet(3, embedding_dim=1, kernel_width=2, dilation=(1, 2), num_layers=2, nonlinearity="relu")
    with torch.no_grad():
        net.item_embeddings.weight[:, 0] = torch.tensor([0.0, 1.0, 10.0])
        for layer, weights in zip(net.cnn_layers, ([3.0, 1.0], [1.0, 2.0]), strict=True):
            layer.weight[0, 0] = torch.tensor(weights)  # the older place first
            layer.bias.zero_()
    # Before each place: 0, 1, 10, 1. First layer, 3 * older + newer + newer: 0, 2, 23, 32.
    # Second, (two before) + 2 * own + own: 0, 6, 0 + 3 * 23, 2 + 3 * 32.
    states, last = net.user_representation(torch.tensor([[1, 2, 1]]))
    assert (states.flatten().tolist(), last.flatten().tolist()) == ([0, 6, 69], [98])


def test_the_mixture_weighs_tastes_by_a_softmax_over_the_attention():
    net = MixtureLSTMNet(3, embedding_dim=1, num_mixtures=2)
    with torch.no_grad():
        net.item_embeddings.weight[2] = 2.0
        net.item_biases.weight[2] = 0.5
    tastes_and_attention = torch.tensor([3.0, 5.0, float(np.log(3)) / 2, 0.0]).view(1, 4, 1, 1)
    # softmax of (ln 3, 0) is (3/4, 1/4): 3/4 * 3 * 2 + 1/4 * 5 * 2 + 0.5
    assert net(tastes_and_attention, torch.tensor([[2]])).item() == pytest.approx(7.5)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_later_items_never_change_an_earlier_state(name):
    net = dict(nets())[name]
    sequences = torch.tensor(windows().sequences, dtype=torch.int64)
    changed = sequences.clone()
    changed[:, 3:] = sequences[:, 3:] % (N_ITEMS - 1) + 1
    before, after = net.user_representation(sequences)[0], net.user_representation(changed)[0]
    assert torch.equal(before[..., :4], after[..., :4])  # the state before place 3 does not know place 3
    assert (before[..., 4:] != after[..., 4:]).any()


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("length", [1, 2, 6])
def test_states_keep_spotlights_shapes(name, length):
    net = dict(nets())[name]
    states, last = net.user_representation(torch.ones(5, length, dtype=torch.int64))
    features = (8, 8) if name == "mixture" else (8,)  # 2 * 4 vectors of 8
    assert states.shape == (5, *features, length)
    assert last.shape == ((5, *features, 1) if name == "mixture" else (5, 8))
    assert net(states, torch.ones(5, length, dtype=torch.int64)).shape == (5, length)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_many_items_at_once_get_the_scores_of_forward(name):
    net = dict(nets())[name]
    sequences, others = torch.randint(1, N_ITEMS, (5, 6)), torch.randint(0, N_ITEMS, (3, 5, 6))
    with torch.no_grad():
        states, last = net.user_representation(sequences)
        for scores, targets in zip(net.score_several(states, others), others, strict=True):
            assert scores.numpy() == pytest.approx(net(states, targets).numpy(), abs=1e-6)
        for row, state in zip(net.score_all_items(last), last, strict=True):
            one_by_one = net(state.expand(N_ITEMS, *state.shape), torch.arange(N_ITEMS).unsqueeze(1))
            assert row.numpy() == pytest.approx(one_by_one.flatten().numpy(), abs=1e-6)


def test_the_pooling_nets_own_gradients_are_autograds():
    net = dict(nets())["pooling"]
    sequences = torch.tensor(windows().sequences, dtype=torch.int64)
    negatives = torch.randint(0, N_ITEMS, (3, *sequences.shape))
    by_positive, by_negative = torch.randn(sequences.shape), torch.randn(negatives.shape)
    states, _ = net.user_representation(sequences)
    expected_scores = net(states, sequences), net.score_several(states, negatives)
    torch.autograd.backward(expected_scores, (by_positive, by_negative))
    expected = [table.weight.grad for table in (net.item_embeddings, net.item_biases)]
    net.zero_grad()
    *scores, add_gradients = net.scores_and_gradients(sequences, negatives)
    add_gradients(by_positive, by_negative)
    for ours, theirs in zip(scores, expected_scores, strict=True):
        assert ours.numpy() == pytest.approx(theirs.detach().numpy(), abs=1e-6)
    for table, gradient in zip((net.item_embeddings, net.item_biases), expected, strict=True):
        assert table.weight.grad.numpy() == pytest.approx(gradient.numpy(), abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"nonlinearity": "sigmoid"}, "'sigmoid'"),
        ({"kernel_width": (3, 3), "dilation": 1, "num_layers": 1}, "one for each layer"),
        ({"num_layers": 0}, "one for each layer"),
    ],
)
def test_a_convolution_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CNNNet(N_ITEMS, **settings)


# The model


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_each_representation_learns_what_follows_what(representation):
    """Of 20 items, each comes after the one before it: nothing is left to chance but the start."""
    rng = np.random.default_rng(0)
    sequences = (rng.integers(0, 20, (400, 1)) + np.arange(6)) % 20 + 1
    data = SequenceInteractions(sequences.astype(np.int32))
    settings = {"loss": "adaptive_hinge", "n_iter": 40, "embedding_dim": 16, "batch_size": 128, "learning_rate": 0.03}
    model = fitted(data, representation=representation, **settings)
    # Of the 15 items that have not come, guessing gives (1 + 1/2 + ... + 1/15) / 15 = 0.22; what is next to the items
    # that have come, on either side, (1 + 1/2) / 2 = 0.75.
    assert sequence_mrr_score(model, data, exclude_preceding=True).mean() > 0.5


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_training_is_the_loop_written_plainly(representation, loss):
    """User representation, positives, negatives, masked loss, Adam: by the public names only, with autograd."""
    from course_utils.spotlight import losses

    data, state = windows(), np.random.RandomState(1)
    torch.manual_seed(state.randint(-(10**8), 10**8))
    net = REPRESENTATIONS[representation](N_ITEMS, 8)
    adam = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-4)
    rows = data.sequences.astype(np.int64)
    k = 5 if loss == "adaptive_hinge" else 1
    for _ in range(2):
        order = np.arange(len(rows))
        state.shuffle(order)
        rows = rows[order]  # shuffled as the epoch before left them
        for start in range(0, len(rows), 16):
            batch = torch.from_numpy(rows[start : start + 16])
            states, _ = net.user_representation(batch)
            drawn = torch.from_numpy(state.randint(0, N_ITEMS, (k * len(batch), 6), dtype=np.int64))
            negative = net(states.repeat(k, *(1,) * (states.dim() - 1)), drawn).view(k, len(batch), 6)
            if k == 1:
                negative = negative[0]
            adam.zero_grad()
            getattr(losses, f"{loss}_loss")(net(states, batch), negative, mask=batch != 0).backward()
            adam.step()
    with torch.no_grad():
        expected = net.score_all_items(net.user_representation(torch.from_numpy(data.sequences).long())[1]).numpy()
    model = fitted(data, representation=representation, loss=loss, l2=1e-4)
    assert model.score_sequences(data.sequences) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("representation", REPRESENTATIONS)
@pytest.mark.parametrize("data", [windows(length=1), windows(n=17), windows(n=1)], ids=["length 1", "last 1", "one"])
def test_windows_of_one_item_and_batches_of_one_window_are_trained_on(representation, data):
    model = fitted(data, representation=representation, loss="adaptive_hinge")
    assert np.isfinite(model.predict(data.sequences[0])).all()


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_many_sequences_get_the_scores_of_one_at_a_time(representation, monkeypatch):
    monkeypatch.setattr("course_utils.spotlight.sequence.implicit._SCORES_AT_ONCE", 3 * N_ITEMS)  # batches of 3
    model, sequences = fitted(representation=representation), windows(n=7).sequences
    scores = model.score_sequences(sequences)
    assert (scores.shape, scores.dtype) == ((7, N_ITEMS), np.float32)
    for row, sequence in zip(scores, sequences, strict=True):
        assert row == pytest.approx(model.predict(sequence), abs=1e-6)
        assert row[[4, 2]] == pytest.approx(model.predict(sequence[None], np.array([[4], [2]])), abs=1e-6)
    assert model.score_sequences(sequences[:0]).shape == (0, N_ITEMS)


def test_the_padding_item_scores_zero_and_an_empty_sequence_is_all_padding():
    model = fitted()
    assert model.predict(np.array([], dtype=int)) == pytest.approx(model.predict(np.array([0, 0])))
    assert np.all(model.score_sequences(windows().sequences)[:, 0] == 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.predict(np.array([[1, 2], [3, 4]])), r"\(2, 2\); score_sequences takes several"),
        (lambda model: model.predict(np.array([1, N_ITEMS])), str(N_ITEMS)),
        (lambda model: model.predict(np.array([1]), np.array([-1])), "-1"),
        (lambda model: model.score_sequences(np.array([1, 2])), r"shape \(2,\)"),
        (lambda model: model.fit(SequenceInteractions(np.array([[N_ITEMS]]))), str(N_ITEMS)),
        (lambda model: model.fit(SequenceInteractions(np.empty((0, 5), int), num_items=3)), "at least one window"),
    ],
)
def test_sequences_that_do_not_fit_the_model_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(fitted())


def test_wrong_settings_fail_at_once():
    with pytest.raises(ValueError, match="'gru'"):
        ImplicitSequenceModel(representation="gru")
    with pytest.raises(ValueError, match="'regression'"):
        ImplicitSequenceModel(loss="regression")
    with pytest.raises(RuntimeError, match="call fit first"):
        ImplicitSequenceModel().predict(np.array([1]))


def test_a_representation_written_for_spotlight_runs():
    """With its shapes, its one item for each state, and its fondness for squeeze."""

    class LastItem(nn.Module):
        def __init__(self):
            super().__init__()
            self.item_embeddings = nn.Embedding(N_ITEMS, 8, padding_idx=0)

        def user_representation(self, item_sequences):
            states = nn.functional.pad(self.item_embeddings(item_sequences).permute(0, 2, 1), (1, 0))
            return states[:, :, :-1], states[:, :, -1]

        def forward(self, user_representations, targets):
            return (user_representations * self.item_embeddings(targets).permute(0, 2, 1).squeeze()).sum(1)

    for loss in ("pointwise", "adaptive_hinge"):
        model = fitted(representation=LastItem(), loss=loss)
        table = model._net.item_embeddings.weight.detach().numpy()
        sequences = windows().sequences
        assert model.score_sequences(sequences) == pytest.approx(table[sequences[:, -1]] @ table.T, abs=1e-5)


def test_a_network_derived_from_ours_scores_by_its_own_forward():
    class Doubled(PoolNet):
        def forward(self, user_representations, targets):
            return 2 * super().forward(user_representations, targets)

    torch.manual_seed(0)
    model = fitted(representation=Doubled(N_ITEMS, 8), n_iter=1)
    plain = PoolNet(N_ITEMS, 8)
    plain.load_state_dict(model._net.state_dict())
    sequences = windows().sequences
    with torch.no_grad():
        expected = 2 * plain.score_all_items(plain.user_representation(torch.from_numpy(sequences).long())[1]).numpy()
    assert model.score_sequences(sequences) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_bloom_embeddings_take_the_place_of_the_table(representation):
    net = REPRESENTATIONS[representation](N_ITEMS, 8, item_embedding_layer=BloomEmbedding(N_ITEMS, 8, 0.5))
    model, sequences = fitted(representation=net, loss="adaptive_hinge"), windows().sequences
    assert model.score_sequences(sequences)[3] == pytest.approx(model.predict(sequences[3]), abs=1e-6)


@pytest.mark.parametrize("representation", ["pooling", "mixture"])
def test_sparse_gradients_work_with_an_optimiser_that_takes_them(representation):
    model = fitted(
        representation=representation, sparse=True, optimizer_func=lambda p: torch.optim.SGD(list(p), lr=1e-2)
    )
    dense = fitted(representation=representation, optimizer_func=lambda p: torch.optim.SGD(list(p), lr=1e-2))
    assert model.predict(np.array([1, 2])) == pytest.approx(dense.predict(np.array([1, 2])), abs=1e-6)


def test_fitting_goes_on_where_the_last_fit_ended_and_starts_from_the_given_order():
    in_steps = fitted(n_iter=1)
    in_steps.fit(windows())
    other_windows = fitted(n_iter=1)
    other_windows.fit(windows(seed=1))
    once = fitted(n_iter=1).predict(np.array([3]))
    assert np.abs(in_steps.predict(np.array([3])) - once).max() > 1e-3
    assert np.abs(in_steps.predict(np.array([3])) - other_windows.predict(np.array([3]))).max() > 1e-4


def test_a_fitted_model_survives_pickling():
    for representation in REPRESENTATIONS:
        model = fitted(representation=representation)
        copy = pickle.loads(pickle.dumps(model))
        assert np.array_equal(copy.predict(np.array([1, 2])), model.predict(np.array([1, 2])))
