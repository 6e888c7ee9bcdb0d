"""The shared loop for nets that name the next item."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.next_item import catalogue_loss, fit_windows


class LastItem(nn.Module):
    """A table of scores, looked up by the last item; notes what it is shown."""

    def __init__(self, n_items: int = 5):
        super().__init__()
        self.table = nn.Embedding(n_items, n_items)
        nn.init.zeros_(self.table.weight)
        self.shown, self.modes = [], []

    def forward(self, contexts):
        self.shown.append(contexts.clone())
        self.modes.append(self.training)
        return self.table(contexts[:, -1])


CIRCLE = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 1]], dtype=np.int32)


def fitted(**settings) -> LastItem:
    settings = {"n_epochs": 30, "batch_size": 2, "learning_rate": 0.3, **settings}
    return fit_windows(LastItem(), CIRCLE, generator=torch.Generator().manual_seed(0), **settings)


def test_a_circle_of_items_is_learnt():
    net = fitted()
    assert net.table.weight[1:, 1:].argmax(dim=1).tolist() == [1, 2, 3, 0]
    assert not net.training


def test_every_window_is_shown_once_an_epoch_without_its_last_item_and_in_training_mode():
    net = fitted(n_epochs=3)
    assert len(net.shown) == 6
    assert all(net.modes)
    for epoch in range(3):
        shown = torch.cat(net.shown[2 * epoch : 2 * epoch + 2])
        assert sorted(shown.tolist()) == sorted(CIRCLE[:, :-1].tolist())


def test_the_same_generator_state_gives_the_same_net():
    assert torch.equal(fitted().table.weight, fitted().table.weight)


def test_training_mode_is_back_after_a_measure_that_left_it():
    nets = []
    net = LastItem()
    fit_windows(
        net, CIRCLE, n_epochs=2, generator=torch.Generator(), after_epoch=lambda: nets.append(net.eval().training)
    )
    assert nets == [False, False]
    assert all(net.modes)


def test_the_padding_is_no_candidate_of_the_loss():
    net = LastItem()
    with torch.no_grad():
        net.table.weight[:, 0] = 50.0
    loss = catalogue_loss(net, torch.tensor([[1], [2]]), torch.tensor([2, 3]))
    assert loss.item() == pytest.approx(np.log(4))  # four real items with equal scores


def test_a_window_that_ends_in_padding_is_refused():
    with pytest.raises(ValueError, match="window 1 ends in padding"):
        fit_windows(LastItem(), np.array([[1, 2], [2, 0]]), n_epochs=1, generator=torch.Generator())
