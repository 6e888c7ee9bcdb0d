"""Spotlight's explicit model, its losses and its net under our own code."""

import pickle

import numpy as np
import pytest
import torch
from spotlight_data import interactions

from course_utils.evaluation import rmse
from course_utils.spotlight.cross_validation import (
    random_train_test_split,
)
from course_utils.spotlight.evaluation import rmse_score
from course_utils.spotlight.factorization.explicit import ExplicitFactorizationModel
from course_utils.spotlight.factorization.representations import BilinearNet
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.losses import logistic_loss, poisson_loss, regression_loss


def fitted(data, **settings):
    model = ExplicitFactorizationModel(**{"n_iter": 2, "random_state": np.random.RandomState(1), **settings})
    model.fit(data)
    return model


# Losses and the net


def test_losses_at_scores_worked_out_by_hand():
    ratings = torch.tensor([1.0, 4.0])
    assert regression_loss(ratings, torch.tensor([3.0, 3.0])).item() == pytest.approx((4 + 1) / 2)
    assert poisson_loss(ratings, torch.tensor([1.0, np.e])).item() == pytest.approx((1 + np.e - 4) / 2)
    assert logistic_loss(torch.tensor([-1.0, 1.0]), torch.tensor([0.0, 0.0])).item() == pytest.approx(np.log(2))
    assert logistic_loss(torch.tensor([-1.0]), torch.tensor([1.0])).item() == pytest.approx(np.log(1 + np.e))


def test_the_net_scores_by_the_product_plus_both_biases():
    net = BilinearNet(2, 3, embedding_dim=2)
    with torch.no_grad():
        net.user_embeddings.weight[1] = torch.tensor([1.0, 2.0])
        net.item_embeddings.weight[2] = torch.tensor([3.0, -1.0])
        net.user_biases.weight[1] = 0.5
        net.item_biases.weight[2] = 0.25
    assert net(torch.tensor([1]), torch.tensor([2])).tolist() == [1.75]


def test_the_nets_own_gradients_are_those_of_autograd():
    torch.manual_seed(0)
    net = BilinearNet(4, 5, embedding_dim=3)
    users, items = torch.tensor([0, 0, 3, 0]), torch.tensor([1, 2, 1, 1])  # repeats, and ids that do not occur
    by_score = torch.tensor([0.5, -1.0, 2.0, 0.25])
    (net(users, items) @ by_score).backward()
    expected = [parameter.grad for parameter in net.parameters()]
    for parameter in net.parameters():
        parameter.grad = None
    scores, add_gradients = net.scores_and_gradients(users, items)
    assert torch.equal(scores, net(users, items).detach())
    for times in (1, 2):
        add_gradients(by_score)
        for parameter, gradient in zip(net.parameters(), expected, strict=True):
            assert parameter.grad == pytest.approx(times * gradient, abs=1e-6)


# The model


def test_the_model_fits_a_planted_pattern_far_better_than_the_mean():
    train, test = random_train_test_split(interactions(n=6000), random_state=0)
    model = fitted(train, embedding_dim=4, n_iter=15, random_state=0)
    assert rmse_score(model, test) < 0.6 * np.std(test.ratings)


def test_an_epoch_is_adam_on_the_permutation_of_the_random_state():
    """The same loop written plainly, with NumPy's permutation and torch's unfused Adam."""
    data = interactions()
    state = np.random.RandomState(1)
    torch.manual_seed(state.randint(-(10**8), 10**8))
    net = BilinearNet(30, 40)
    adam = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-4, foreach=False)
    for _ in range(2):
        order = np.arange(len(data))
        state.shuffle(order)
        for start in range(0, len(order), 300):
            rows = order[start : start + 300]
            users, items = (torch.tensor(ids[rows], dtype=torch.int64) for ids in (data.user_ids, data.item_ids))
            adam.zero_grad()
            (torch.tensor(data.ratings[rows]) - net(users, items)).square().mean().backward()
            adam.step()
    with torch.no_grad():
        expected = net(torch.zeros(40, dtype=torch.int64), torch.arange(40)).numpy()
    assert fitted(data, l2=1e-4, batch_size=300).predict(0) == pytest.approx(expected, abs=1e-5)


def test_torch_draws_elsewhere_change_nothing_and_are_not_changed():
    data = interactions()
    expected = fitted(data).predict(0)
    torch.manual_seed(0)
    untouched = torch.rand(2)
    torch.manual_seed(0)
    model = ExplicitFactorizationModel(n_iter=2, random_state=np.random.RandomState(1))
    first = torch.rand(1)
    model.fit(data)
    assert torch.equal(torch.cat([first, torch.rand(1)]), untouched)
    assert np.array_equal(model.predict(0), expected)


@pytest.mark.parametrize("representation", [False, True])
def test_two_fits_of_one_epoch_equal_one_fit_of_two(representation):
    class WithDropout(BilinearNet):
        def forward(self, user_ids, item_ids):
            return torch.nn.functional.dropout(super().forward(user_ids, item_ids), 0.5, self.training)

    def net():
        torch.manual_seed(0)
        return WithDropout(30, 40) if representation else None

    data = interactions()
    at_once, in_steps = fitted(data, representation=net()), fitted(data, n_iter=1, representation=net())
    in_steps.fit(data)
    assert np.array_equal(at_once.predict(0), in_steps.predict(0))


def test_ratings_are_predicted_on_the_scale_of_the_loss():
    assert np.all(fitted(interactions(), loss="poisson").predict(0) > 0)
    probabilities = fitted(interactions(loss="logistic"), loss="logistic", n_iter=5).predict(0)
    assert np.all((probabilities > 0) & (probabilities < 1))


@pytest.mark.filterwarnings("error")
def test_read_only_arrays_are_taken_without_a_warning():
    data = interactions()
    for column in (data.user_ids, data.item_ids, data.ratings):
        column.flags.writeable = False
    fitted(data).predict(data.user_ids, data.item_ids)


def test_a_last_batch_of_one_row_is_trained_on():
    model = fitted(interactions(n=257), batch_size=256)
    assert np.isfinite(model.predict(0)).all()


def test_one_pair_one_user_and_many_pairs_give_the_same_scores():
    model = fitted(interactions())
    everything = model.predict(3)
    assert everything.shape == (40,)
    assert everything.dtype == np.float32
    assert model.predict(3, np.array([7, 9])) == pytest.approx(everything[[7, 9]], abs=1e-6)
    assert model.predict(np.array([3]), np.array([7])) == pytest.approx(everything[7:8], abs=1e-6)
    assert model.predict(np.full(40, 3), np.arange(40)) == pytest.approx(everything, abs=1e-6)
    assert model.predict(np.array([], int), np.array([], int)).shape == (0,)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((30, None), "30"),
        ((np.array([0]), np.array([40])), "40"),
        ((np.array([-1]), np.array([0])), "-1"),
        ((np.array([0, 1]), np.array([0, 1, 2])), "2 user ids do not pair up with 3"),
        ((np.array([0, 1]), None), "2 user ids do not pair up with 40"),
    ],
)
def test_pairs_that_do_not_fit_the_model_are_refused(pair, message):
    with pytest.raises(ValueError, match=message):
        fitted(interactions()).predict(*pair)


def test_ids_in_columns_score_what_they_score_in_a_row():
    model, users, items = fitted(interactions()), np.array([3, 5]), np.array([4, 7])
    expected = model.predict(users, items)
    assert np.array_equal(model.predict(users[:, None], items[:, None]), expected)
    assert np.array_equal(model.predict(3, items[:, None]), model.predict(3, items))
    assert np.array_equal(model.predict([[3]]), model.predict(3))


def test_scores_of_all_items_are_for_a_row_of_users():
    for user_ids in (np.array([[3]]), 3):
        with pytest.raises(ValueError, match=r"user_ids has the shape \((1, 1)?\), expected \(B,\)"):
            fitted(interactions()).score_users(user_ids)


@pytest.mark.parametrize("ids", [[1.5], [np.nan], ["1"]])
def test_a_prediction_for_ids_that_are_not_whole_numbers_is_refused(ids):
    model = fitted(interactions())
    with pytest.raises(TypeError, match="user_ids are whole numbers"):
        model.predict(ids, [0])
    with pytest.raises(TypeError, match="item_ids are whole numbers"):
        model.predict(0, ids)
    with pytest.raises(TypeError, match="user_ids are whole numbers"):
        model.score_users(ids)


def test_wrong_settings_fail_at_once():
    with pytest.raises(ValueError, match="'rmse'"):
        ExplicitFactorizationModel(loss="rmse")
    with pytest.raises(ValueError, match="optimizer_func"):
        ExplicitFactorizationModel(sparse=True)
    with pytest.raises(TypeError, match="random_state"):
        ExplicitFactorizationModel(random_state=np.random.default_rng(0))
    with pytest.raises(RuntimeError, match="call fit first"):
        ExplicitFactorizationModel().predict(0)
    with pytest.raises(ValueError, match="ratings"):
        ExplicitFactorizationModel().fit(Interactions(np.array([0]), np.array([0])))


def test_sparse_gradients_work_with_an_optimiser_that_takes_them():
    model = fitted(
        interactions(), sparse=True, optimizer_func=lambda parameters: torch.optim.SparseAdam(list(parameters), lr=1e-2)
    )
    assert np.isfinite(model.predict(0)).all()


def test_a_loss_that_is_not_a_number_stops_the_fit():
    data = interactions()
    data.ratings[5] = np.nan
    with pytest.raises(ValueError, match="Degenerate epoch loss: nan"):
        fitted(data)


def test_a_fitted_model_survives_pickling():
    model = fitted(interactions())
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(0), model.predict(0))


def test_rmse_score_is_the_error_of_predict():
    data = interactions()
    model = fitted(data)
    assert rmse_score(model, data) == rmse(data.ratings, model.predict(data.user_ids, data.item_ids))


def test_scores_of_all_items_are_the_predictions_user_by_user():
    data = interactions()
    for model in (
        fitted(data, loss="poisson"),
        fitted(data, representation=BilinearNet(30, 40)),
        fitted(data, representation=ItemsOnly()),
    ):
        scores = model.score_users(np.array([7, 3, 7]))
        assert scores.shape == (3, 40)
        assert scores.dtype == np.float32
        for row, user in zip(scores, (7, 3, 7), strict=True):
            assert row == pytest.approx(model.predict(user), rel=1e-5, abs=1e-6)
        assert model.score_users(np.array([], int)).shape == (0, 40)
        with pytest.raises(ValueError, match="30"):
            model.score_users(np.array([30]))


class ItemsOnly(torch.nn.Module):
    """A representation that has nothing of a BilinearNet."""

    def __init__(self):
        super().__init__()
        self.items = torch.nn.Embedding(40, 1)

    def forward(self, user_ids, item_ids):
        return self.items(item_ids).squeeze(-1)


def test_a_representation_and_an_optimiser_of_ones_own_are_the_ones_that_are_trained():
    net = ItemsOnly()
    data = interactions(n=4000)
    fitted(data, representation=net, optimizer_func=lambda parameters: torch.optim.SGD(parameters, lr=3.0), n_iter=20)
    means = [data.ratings[data.item_ids == item].mean() for item in range(40)]
    assert net.items.weight[:, 0].detach().numpy() == pytest.approx(means, abs=0.3)


def test_verbose_prints_the_loss_of_every_epoch(capsys):
    model = ExplicitFactorizationModel(n_iter=2, random_state=0)
    model.fit(interactions())
    assert capsys.readouterr().out == ""
    model.fit(interactions(), verbose=True)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Epoch 0: loss ")
    assert float(second.removeprefix("Epoch 1: loss ")) < float(first.removeprefix("Epoch 0: loss "))


def test_a_model_is_shown_by_its_network_once_it_has_one():
    assert repr(ExplicitFactorizationModel()) == "<ExplicitFactorizationModel: [uninitialised]>"
    assert "(user_embeddings): ScaledEmbedding(30, 32)" in repr(fitted(interactions()))
