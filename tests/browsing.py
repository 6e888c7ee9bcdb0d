"""What tests in a browser share: where Chromium lies, and a Jupyter server as a person starts it.

The tests are skipped where there is no Chromium (on Debian: apt-get install chromium).
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from graders import wait_for

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browser_only = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (apt-get install chromium)")

MAKEFILE = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
SLOWEST = 120_000
"""Milliseconds that a page of a Jupyter server may take to change: its kernels start on cores that others use, too."""


def outside(url: str) -> bool:
    """Whether a page that asks for this leaves the machine."""
    parts = urlsplit(url)
    return parts.scheme not in ("file", "data", "blob") and parts.hostname not in ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Jupyter:
    """A server: its address, which ends in a slash, and the token that opens it."""

    url: str
    token: str

    def page(self, path: str) -> str:
        """The address of a page that lets in whoever calls it, and forgets which tabs were open."""
        return f"{self.url}{path}?token={self.token}&reset"


@contextlib.contextmanager
def jupyter_lab(folder: Path, **variables: str) -> Iterator[Jupyter]:
    """`jupyter lab`, started in a folder with settings that nobody else uses, set up as the Makefile sets them up."""
    (disable,) = re.findall(r"/jupyter (labextension disable \S+)", MAKEFILE)
    home = Path(tempfile.mkdtemp(prefix="jupyter-"))
    places = {f"JUPYTER_{what}_DIR": str(home / what.lower()) for what in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **places, **variables}
    jupyter = [sys.executable, "-m", "jupyter"]
    subprocess.run([*jupyter, *disable.split(), "--level=user"], env=environment, check=True, capture_output=True)
    command = [*jupyter, "lab", "--no-browser", "--allow-root", "--port=0"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: server.poll() is not None or running(home))
        assert server.poll() is None, (home / "log").read_text()
        about = json.loads(running(home))
        yield Jupyter(about["url"], about["token"])
    finally:
        server.terminate()  # it stops its kernels, too
        server.wait(timeout=60)
        shutil.rmtree(home)


def running(home: Path) -> str:
    """What the server in this folder has written down about itself; empty until it listens."""
    return "".join(path.read_text() for path in home.glob("runtime/jpserver-*.json"))
