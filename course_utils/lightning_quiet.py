"""Lightning without what it says on its own: which devices there are, advice about loaders, tips about its makers.

Call `hush` before the first Trainer; what goes wrong is still said. `EpochBar` is a progress bar of one line for a
whole fit, which wipes itself out at the end, so that a notebook keeps its results and no traces of the way there.
"""

from __future__ import annotations

import logging
import warnings

import lightning

from course_utils.bars import tqdm


def hush() -> None:
    """Silence Lightning's information and its advice on data loaders, for this process."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for advice in (
        ".*does not have many workers.*",
        ".*number of training batches.*",
        ".*exists and is not empty.*",
        ".*self.log.*",
    ):
        warnings.filterwarnings("ignore", message=advice)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning asks torch in a way that torch has given up


class EpochBar(lightning.pytorch.callbacks.ProgressBar):
    """Epochs as they go by, with the figures that are logged for the bar."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm | None = None
        self._hidden = False

    def disable(self) -> None:
        """Called by Lightning on all but the first of several processes."""
        self._hidden = True

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._bar = tqdm(total=trainer.max_epochs, unit="epoch", leave=False, mininterval=0, disable=self._hidden)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        figures = {name: f"{float(value):.4f}" for name, value in trainer.progress_bar_metrics.items()}
        self._bar.set_postfix(figures, refresh=False)
        self._bar.update()

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._bar.close()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        if self._bar is not None:
            self._bar.close()
