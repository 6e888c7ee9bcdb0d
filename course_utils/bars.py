"""Progress bars on standard output: Jupyter shows standard error in red, as if something had gone wrong."""

from __future__ import annotations

import sys

import tqdm as library


class tqdm(library.tqdm):
    """The library's `tqdm`, on standard output unless `file` says otherwise."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **{"file": sys.stdout, **options})
