"""Spotlight's implicit factorization model under our own code."""

import pickle

import numpy as np
import pytest
import torch
from spotlight_data import interactions

from course_utils.spotlight.factorization.explicit import ExplicitFactorizationModel
from course_utils.spotlight.factorization.implicit import ImplicitFactorizationModel
from course_utils.spotlight.factorization.representations import BilinearNet
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.losses import adaptive_hinge_loss, bpr_loss, hinge_loss, pointwise_loss
from course_utils.spotlight.sampling import sample_items

LOSSES = ["pointwise", "bpr", "hinge", "adaptive_hinge"]


def two_camps(n=2000, n_users=30, n_items=40):
    """Users with an even number meet items with an even number, odd ones odd ones."""
    rng = np.random.default_rng(0)
    users = rng.integers(0, n_users, n)
    items = 2 * rng.integers(0, n_items // 2, n) + users % 2
    return Interactions(users.astype(np.int32), items.astype(np.int32), num_users=n_users, num_items=n_items)


def fitted(data, **settings):
    model = ImplicitFactorizationModel(**{"n_iter": 2, "random_state": np.random.RandomState(1), **settings})
    model.fit(data)
    return model


# Losses and sampling


def test_losses_at_scores_worked_out_by_hand():
    positive, negative = torch.tensor([np.log(3), 0.0]), torch.tensor([0.0, -np.log(3)])
    # σ(ln 3) = 3/4, σ(0) = 1/2, σ(-ln 3) = 1/4; the differences are ln 3 both times
    assert pointwise_loss(positive, negative).item() == pytest.approx(((1 / 4 + 1 / 2) + (1 / 2 + 1 / 4)) / 2)
    assert bpr_loss(positive, negative).item() == pytest.approx(1 / 4)
    assert hinge_loss(torch.tensor([2.0, 0.0]), torch.tensor([0.5, 0.5])).item() == pytest.approx((0 + 1.5) / 2)
    several = torch.tensor([[-3.0, 0.0], [0.5, -1.0]])
    assert adaptive_hinge_loss(torch.tensor([1.0, 0.25]), several).item() == pytest.approx((0.5 + 0.75) / 2)


@pytest.mark.parametrize("loss", [pointwise_loss, bpr_loss, hinge_loss, adaptive_hinge_loss])
def test_what_the_mask_leaves_out_does_not_count(loss):
    generator = torch.Generator().manual_seed(0)
    positive, negative = torch.randn(4, 5, generator=generator), torch.randn(3, 4, 5, generator=generator)
    if loss is not adaptive_hinge_loss:
        negative = negative[0]
    mask = torch.arange(20).view(4, 5) % 3 > 0
    kept = loss(positive[mask], negative[..., mask])
    assert loss(positive, negative, mask=mask).item() == pytest.approx(kept.item(), abs=1e-6)
    assert loss(positive, negative, mask=mask.float()).item() == pytest.approx(kept.item(), abs=1e-6)


def test_sampled_items_are_the_random_states_and_evenly_spread():
    items = sample_items(7, (2000, 5), random_state=np.random.RandomState(3))
    assert items.dtype == np.int64
    assert np.array_equal(items, np.random.RandomState(3).randint(0, 7, (2000, 5)))
    assert np.bincount(items.ravel(), minlength=7) / 10_000 == pytest.approx(np.full(7, 1 / 7), abs=0.01)
    assert sample_items(7, 4).shape == (4,)


# The model


@pytest.mark.parametrize("loss", LOSSES)
def test_the_model_tells_the_camps_apart(loss):
    model = fitted(two_camps(), loss=loss, n_iter=10)
    own = np.arange(40) % 2 == np.arange(30)[:, None] % 2
    scores = model.score_users(np.arange(30))
    # chance is 0.5; each user's own items must beat the others in 95 % of the pairs
    assert np.mean(scores[own].reshape(30, 20, 1) > scores[~own].reshape(30, 1, 20)) > 0.95


@pytest.mark.parametrize("loss", LOSSES)
def test_a_step_is_adam_on_the_draws_of_the_random_state(loss):
    """The same loop written plainly, users mixed up by the adaptive hinge as in the original."""
    data = two_camps(n=300)
    state = np.random.RandomState(1)
    torch.manual_seed(state.randint(-(10**8), 10**8))
    net = BilinearNet(30, 40)
    adam = torch.optim.Adam(net.parameters(), lr=1e-2, foreach=False)
    for _ in range(2):
        order = np.arange(len(data))
        state.shuffle(order)
        for start in range(0, len(order), 64):
            users = torch.tensor(data.user_ids[order[start : start + 64]], dtype=torch.int64)
            items = torch.tensor(data.item_ids[order[start : start + 64]], dtype=torch.int64)
            positive = net(users, items)
            n_sampled = 3 if loss == "adaptive_hinge" else 1
            sampled = torch.from_numpy(state.randint(0, 40, n_sampled * len(users), dtype=np.int64))
            # position p belongs to row p // n_sampled, and is compared with the positive of row p % B
            scores = [net(users[[p // n_sampled]], sampled[[p]]) for p in range(len(sampled))]
            rivals = [torch.cat(scores[row :: len(users)]).max() for row in range(len(users))]
            negative = torch.stack(rivals)
            value = {
                "pointwise": 1 - positive.sigmoid() + negative.sigmoid(),
                "bpr": 1 - (positive - negative).sigmoid(),
                "hinge": (1 - positive + negative).clamp(min=0),
                "adaptive_hinge": (1 - positive + negative).clamp(min=0),
            }[loss]
            adam.zero_grad()
            value.mean().backward()
            adam.step()
    with torch.no_grad():
        expected = net(torch.zeros(40, dtype=torch.int64), torch.arange(40)).numpy()
    model = fitted(data, loss=loss, batch_size=64, num_negative_samples=3)
    # Rounding differs, and Adam enlarges it; a wrong draw or step moves scores by 0.01 and more.
    assert model.predict(0) == pytest.approx(expected, abs=1e-4)


def test_two_fits_of_one_epoch_equal_one_fit_of_two():
    data = two_camps()
    at_once, in_steps = fitted(data), fitted(data, n_iter=1)
    in_steps.fit(data)
    assert np.array_equal(at_once.predict(0), in_steps.predict(0))


def test_under_bpr_the_users_biases_stay_exactly_zero():
    # They cancel in every difference of two of a user's scores; a rounding error would become full steps of Adam.
    assert fitted(two_camps(), loss="bpr")._net.user_biases.weight.abs().max().item() == 0


def test_ratings_count_for_nothing():
    data = two_camps()
    expected = fitted(data).predict(0)
    data.ratings = np.full(len(data), 5, dtype=np.float32)
    assert np.array_equal(fitted(data).predict(0), expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_last_batch_of_one_row_and_a_single_pair_work(loss):
    model = fitted(two_camps(n=257), loss=loss, batch_size=256)
    assert np.isfinite(model.predict(0)).all()
    assert model.predict(np.array([3]), np.array([7])) == pytest.approx(model.predict(3)[7:8], abs=1e-6)


def test_a_representation_of_ones_own_sees_positives_and_negatives_apart():
    class Watching(BilinearNet):
        sizes = []  # noqa: RUF012

        def forward(self, user_ids, item_ids):
            self.sizes.append(len(user_ids))
            return super().forward(user_ids, item_ids)

    net = Watching(30, 40)
    fitted(two_camps(n=100), loss="adaptive_hinge", n_iter=1, batch_size=60, representation=net)
    assert net.sizes == [60, 300, 40, 200]


def test_wrong_settings_and_data_fail_at_once():
    with pytest.raises(ValueError, match="'regression'"):
        ImplicitFactorizationModel(loss="regression")
    with pytest.raises(ValueError, match="optimizer_func"):
        ImplicitFactorizationModel(sparse=True)
    with pytest.raises(RuntimeError, match="call fit first"):
        ImplicitFactorizationModel().score_users(np.array([0]))
    with pytest.raises(ValueError, match="no interactions"):
        ImplicitFactorizationModel().fit(Interactions(np.array([], int), np.array([], int), num_users=1, num_items=1))
    model = fitted(two_camps(n_users=20))
    with pytest.raises(ValueError, match="user ids from 0 to 29 do not fit a model of 20 users"):
        model.fit(two_camps(n_users=30))


def test_sparse_gradients_work_with_an_optimiser_that_takes_them():
    model = fitted(two_camps(), sparse=True, optimizer_func=lambda p: torch.optim.SparseAdam(list(p), lr=1e-2))
    assert np.isfinite(model.predict(0)).all()


def test_a_fitted_model_survives_pickling():
    model = fitted(two_camps())
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(0), model.predict(0))


@pytest.mark.parametrize("model_class", [ExplicitFactorizationModel, ImplicitFactorizationModel])
def test_a_table_that_is_frozen_after_a_fit_stays_as_it_is(model_class):
    data = interactions()
    model = model_class(n_iter=1, random_state=1)
    model.fit(data)
    table = model._net.item_embeddings.weight.requires_grad_(False)
    frozen, others = table.clone(), model._net.user_embeddings.weight.clone()
    model.fit(data)
    assert torch.equal(table, frozen)
    assert not torch.equal(model._net.user_embeddings.weight, others)


def test_hooks_on_the_network_are_called_in_every_batch():
    model, calls = ImplicitFactorizationModel(n_iter=1, random_state=1), []
    model.fit(two_camps())
    model._net.register_forward_hook(lambda *_: calls.append(1))
    model.fit(two_camps())
    assert calls


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_iter": -1}, "n_iter is -1"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"embedding_dim": 0}, "embedding_dim is 0"),
        ({"loss": "adaptive_hinge", "num_negative_samples": 0}, "num_negative_samples is 0"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ImplicitFactorizationModel(**settings)
