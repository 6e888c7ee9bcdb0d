"""The kernel `course-sandbox` by name, for nbgrader, nbclient, papermill and JupyterLab."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

from course_utils.grading.sandbox.machine import check
from course_utils.grading.sandbox.provisioner import kernel_spec
from course_utils.grading.sandbox.settings import Sandbox, SandboxError

NAME = "course-sandbox"
GROUP = "jupyter_client.kernel_provisioners"


def install(prefix: Path | None = None) -> Path:
    """Write the kernelspec for this Python; returns its folder. Such a kernel sees COURSE_DATA_DIR, if that is set now.

    prefix  the environment to write it to; this Python's, if not given
    raises  SandboxError if this machine can have no sandbox, or if Jupyter would not find the provisioner
    """
    check()
    if NAME not in entry_points(group=GROUP).names:
        raise SandboxError(f"Jupyter does not know of {NAME}: install the project again, with pip install -e .")
    spec = kernel_spec(sandbox_of_environment(), environment())
    folder = (prefix or Path(sys.prefix)) / "share" / "jupyter" / "kernels" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec.to_dict(), indent=1) + "\n")
    return folder


def sandbox_of_environment() -> Sandbox:
    """Defaults, and the folder of data."""
    folder = os.environ.get("COURSE_DATA_DIR")
    return Sandbox(binds={os.path.abspath(folder): os.path.abspath(folder)} if folder else {})


def environment() -> dict[str, str]:
    """What a lesson needs to know of this process's variables."""
    variables = {name: os.environ[name] for name in ("COURSE_DATASET", "COURSE_BUDGET") if name in os.environ}
    folder = os.environ.get("COURSE_DATA_DIR")
    return variables | ({"COURSE_DATA_DIR": os.path.abspath(folder)} if folder else {})
