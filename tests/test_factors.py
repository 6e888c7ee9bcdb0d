"""The helper that trains a dot product: it learns what was planted, and says its losses."""

import pytest
import torch
from torch.testing import assert_close

from course_utils.factors import DotProduct, fit_factors


@pytest.fixture
def planted():
    """All 600 pairs of 20 users and 30 items, with targets of rank 2."""
    generator = torch.Generator().manual_seed(0)
    users, items = torch.rand(20, 2, generator=generator), torch.rand(30, 2, generator=generator)
    features = torch.cartesian_prod(torch.arange(20), torch.arange(30))
    return features, (users @ items.T).flatten()


def fit(features, targets, seed=0, **options):
    torch.manual_seed(seed)
    model = DotProduct(20, 30, 4)
    settings = {"n_epochs": 40, "batch_size": 50, "learning_rate": 0.02, **options}
    losses = fit_factors(model, features, targets, generator=torch.Generator().manual_seed(seed), **settings)
    return model, losses


def test_a_score_is_the_dot_product_of_two_rows():
    model = DotProduct(3, 4, 2)
    with torch.no_grad():
        model.user_factors.weight.copy_(torch.tensor([[1.0, 0], [0, 2], [3, 1]]))
        model.item_factors.weight.copy_(torch.tensor([[1.0, 1], [0, 1], [2, 0], [5, 5]]))
    assert_close(model(torch.tensor([[2, 0], [0, 2], [1, 1]])), torch.tensor([4.0, 2.0, 2.0]))


def test_both_tables_start_between_zero_and_a_twentieth():
    for parameter in DotProduct(50, 60, 8).parameters():
        assert 0 <= parameter.min() < 0.002
        assert 0.048 < parameter.max() <= 0.05


def test_what_has_rank_two_is_learnt_and_the_losses_tell(planted):
    model, losses = fit(*planted)
    assert len(losses) == 40
    assert losses[-1] < 0.01 * losses[0]
    with torch.no_grad():
        assert (model(planted[0]) - planted[1]).square().mean() < 1e-3


def test_with_steps_of_no_length_every_loss_is_the_error_at_the_start(planted):
    model, losses = fit(*planted, learning_rate=0.0, n_epochs=2, batch_size=7)
    with torch.no_grad():
        error = (model(planted[0]) - planted[1]).square().mean().item()
    assert losses == pytest.approx([error, error], rel=1e-5)


def test_the_same_seeds_give_the_same_model(planted):
    assert fit(*planted, n_epochs=3)[1] == fit(*planted, n_epochs=3)[1]


def test_a_falling_rate_ends_in_smaller_steps(planted):
    tables = {}
    for falling in (False, True):
        seen = []
        torch.manual_seed(0)
        model = DotProduct(20, 30, 4)
        fit_factors(
            model, *planted, n_epochs=10, batch_size=50, learning_rate=0.02, falling=falling,
            generator=torch.Generator().manual_seed(0),
            after_epoch=lambda model=model, seen=seen: seen.append(model.user_factors.weight.detach().clone()),
        )  # fmt: skip
        tables[falling] = (seen[-1] - seen[-2]).abs().mean() / (seen[1] - seen[0]).abs().mean()
    assert tables[True] < 0.5 * tables[False]


def test_decay_pulls_the_tables_towards_zero(planted):
    free, held = fit(*planted)[0], fit(*planted, weight_decay=5.0)[0]
    assert held.user_factors.weight.abs().mean() < 0.8 * free.user_factors.weight.abs().mean()
