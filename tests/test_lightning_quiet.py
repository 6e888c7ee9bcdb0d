"""Lightning in a notebook says nothing on its own; the progress bar tells the figures and wipes itself out."""

import warnings

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from course_utils.lightning_quiet import EpochBar, hush


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, batch_idx):
        if batch.item() < 0:
            raise ValueError("a mistake of the student's")
        self.log("valid_ndcg", 0.25, prog_bar=True)
        return self.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(value: float, n_epochs: int = 2) -> EpochBar:
    bar = EpochBar()
    options = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = lightning.Trainer(max_epochs=n_epochs, callbacks=[bar], **options)
    trainer.fit(Model(), DataLoader([value, value]))
    return bar


@pytest.fixture
def quiet():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        hush()
        yield said


def test_a_fit_says_nothing_but_its_progress(quiet, capfd, caplog):
    fit(1.0)
    written = capfd.readouterr()
    assert written.err == ""  # Jupyter would show it in red
    assert written.out.split("\r")[-1].strip() == ""  # the bar's last act is to wipe itself out
    assert "2/2" in written.out
    assert "valid_ndcg=0.2500" in written.out
    assert caplog.messages == []
    assert [str(one.message) for one in quiet] == []


def test_a_mistake_is_still_raised_and_the_bar_is_closed(quiet, capfd):
    with pytest.raises(ValueError, match="a mistake of the student's"):
        fit(-1.0)
    assert capfd.readouterr().err.split("\r")[-1].strip() == ""


def test_the_bar_counts_epochs(quiet, capfd):
    assert fit(1.0, n_epochs=3)._bar.total == 3
