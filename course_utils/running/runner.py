"""Run one notebook in a fresh kernel, whatever is in it, and say how that ended.

`execute` takes and returns plain values, so that it can run in this process, in a worker, or on another machine.
A cell that runs too long is interrupted; a kernel that does not answer the interrupt, or a notebook that exceeds its
own time, is killed with all its processes. What ran before keeps its outputs. With a sandbox, the kernel runs in one.

This runs on Windows, too, as far as no sandbox is asked for; what a kernel has started outlives it there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from typing import Protocol

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from course_utils.running.clients import BoundedKernelClient, CappedClient, joined_streams

TIMEOUT_NAME = "CellTimeoutError"
"""The error that a cell which was interrupted carries among its outputs."""

INTERRUPT_GRACE = 10
"""Seconds in which a kernel has to answer an interrupt."""

running: dict[int, Run] = {}
"""Thread to the notebook that it runs, of this process."""


class Sandbox(Protocol):
    """What a kernel may be kept in."""

    def kernel_manager(self, environment: dict[str, str]) -> AsyncKernelManager:
        """What starts a kernel with these variables in there; the provisioner has a method `cause_of_death`."""


@dataclass(frozen=True)
class Settings:
    """How to run a notebook.

    cell_timeout      seconds a cell may run
    notebook_timeout  seconds the whole notebook may run
    environment       variables that the kernel gets: besides this process's own, in a sandbox besides a few others
    sandbox           what the kernel may see and use; None lets it run with this process's rights
    """

    cell_timeout: int = 300
    notebook_timeout: int = 1800
    environment: dict[str, str] = field(default_factory=dict)
    sandbox: Sandbox | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    status   "ok" if every cell was reached, else "timeout", "memory" or "error"
    message  why not; empty if it was
    reached  number of cells, counted from the first, that were run to an end
    seconds  wall-clock time, kernel start included
    """

    status: str
    message: str
    reached: int
    seconds: float


def execute(
    notebook_json: str, settings: Settings, on_cell: Callable[[int, NotebookNode], None] | None = None
) -> tuple[str, Outcome]:
    """Run all code cells in order, going on after a cell that raises.

    notebook_json  a notebook of nbformat 4
    on_cell        called after each code cell with its place and the notebook so far
    returns        the notebook with its outputs, as JSON, and how the run ended
    """
    notebook = nbformat.reads(notebook_json, as_version=4)
    with contextlib.ExitStack() as stack:
        folder = None
        if not settings.sandbox:
            temporary = tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
        run = running[threading.get_ident()] = Run(notebook, settings, folder, on_cell)
        try:
            # On Windows the default loop cannot wait for sockets of ZeroMQ.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as loop:
                outcome = loop.run(run.to_its_end())
        finally:
            del running[threading.get_ident()]
    return nbformat.writes(notebook).encode("utf-8", "replace").decode(), outcome


class Run:
    """One kernel's life. `folder`: where it works and is reached, if it has no sandbox."""

    def __init__(self, notebook: NotebookNode, settings: Settings, folder: Path | None, on_cell: Callable | None):
        self.notebook, self.settings, self.folder, self.on_cell = notebook, settings, folder, on_cell
        self.reached = 0
        self.out_of_time = self.unwanted = False
        self.client: CappedClient | None = None

    async def to_its_end(self) -> Outcome:
        """Run the notebook; returns how it ended and leaves no process of it behind."""
        started = time.monotonic()
        clock = threading.Timer(self.settings.notebook_timeout, self.stop_for_time)
        clock.daemon = True
        clock.start()
        status, message = "ok", ""
        try:
            await self.run_cells()
        except CellTimeoutError:
            status, message = "timeout", "the cell could not be interrupted, so the kernel was stopped"
        except DeadKernelError:
            status, message = await self.cause_of_death()
        except Exception as problem:  # a kernel that never came up, or that speaks nonsense
            status, message = "error", f"the kernel could not be used: {type(problem).__name__}: {problem}"
        finally:
            clock.cancel()
            await self.clean_up()
        return Outcome(status, message, self.reached, round(time.monotonic() - started, 2))

    async def run_cells(self) -> None:
        if self.settings.sandbox:  # it brings its own folder and environment
            manager, launch = self.settings.sandbox.kernel_manager(self.settings.environment), {}
        else:
            manager, launch = self.unprotected()
        manager.client_factory = BoundedKernelClient
        self.client = CappedClient(
            self.notebook,
            km=manager,
            timeout=self.settings.cell_timeout,
            interrupt_on_timeout=True,
            error_on_timeout={"ename": TIMEOUT_NAME, "evalue": "", "traceback": []},
            allow_errors=True,
            iopub_timeout=INTERRUPT_GRACE,
            raise_on_iopub_timeout=True,
            record_timing=False,
            coalesce_streams=False,  # see joined_streams: nbclient's takes hours for one long line
            store_widget_state=False,
            shutdown_kernel="immediate",
            on_cell_executed=self.mark_timeout,
        )
        self.client.reset_execution_trackers()
        # nbclient's own way to set up a kernel would take the signals away from this process.
        await self.client.async_start_new_kernel(stdout=DEVNULL, stderr=DEVNULL, **launch)
        if self.unwanted or self.out_of_time:  # while there was no kernel to kill
            raise DeadKernelError("nobody waits for this run any more")
        await self.client.async_start_new_kernel_client()
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type == "code":
                await self.client.async_execute_cell(cell, index, store_history=True)
                cell.outputs = joined_streams(cell.outputs)
                if self.on_cell:
                    self.on_cell(index, self.notebook)
            self.reached = index + 1

    def unprotected(self) -> tuple[AsyncKernelManager, dict]:
        """A kernel with this process's rights, and how to launch it."""
        specs = KernelSpecManager(kernel_dirs=[os.path.join(sys.prefix, "share", "jupyter", "kernels")])
        manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
        manager.connection_file = str(self.folder / "kernel.json")
        if os.name == "posix":  # sockets in our own folder: no ports, and no other user can listen
            manager.transport, manager.ip = "ipc", str(self.folder / "kernel")
        work = self.folder / "work"
        work.mkdir()
        notebook = nbformat.writes(self.notebook).encode("utf-8", "replace")
        (work / "notebook.ipynb").write_bytes(notebook)  # beside its kernel, as in Jupyter: check.progress() reads it
        return manager, {"cwd": str(work), "env": self.environment()}

    def mark_timeout(self, cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        """nbclient tells of a timeout only in its reply: put it among the cell's outputs, whatever the cell shows."""
        if execute_reply["content"].get("ename") == TIMEOUT_NAME:
            text = f"interrupted after {self.settings.cell_timeout} s"
            cell.outputs.append(NotebookNode(output_type="error", ename=TIMEOUT_NAME, evalue=text, traceback=[text]))

    def environment(self) -> dict[str, str]:
        """The kernel's variables: one thread, no start-up files or settings of whoever runs this."""
        quiet = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "IPYTHONDIR": str(self.folder / "ipython")}
        inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONSTARTUP", "MPLBACKEND")}
        return {**inherited, **quiet, **self.settings.environment}

    def kill(self) -> None:
        """Kill the kernel and everything that it has started; on Windows, which knows no groups, the kernel alone."""
        if hasattr(os, "killpg"):
            kill_group(getattr(self.provisioner, "pgid", None))
        elif process := getattr(self.provisioner, "process", None):
            process.kill()

    @property
    def provisioner(self) -> LocalProvisioner | None:
        """What started the kernel; None before that."""
        return self.client.km.provisioner if self.client and self.client.km else None

    def stop_for_time(self) -> None:
        self.out_of_time = True
        self.kill()

    def stop_unwanted(self) -> None:
        self.unwanted = True
        self.kill()

    async def cause_of_death(self) -> tuple[str, str]:
        """Why a kernel that died did."""
        if self.out_of_time:
            return "timeout", f"the notebook was stopped after {self.settings.notebook_timeout} s"
        if self.settings.sandbox and self.provisioner:
            return self.provisioner.cause_of_death() or ("error", "the kernel was stopped from outside")
        code = await self.provisioner.poll() if self.provisioner else None
        name = signal.Signals(-code).name if code is not None and code < 0 else ""
        if name == "SIGKILL":
            return "memory", "the kernel was killed, most likely because the memory ran out"
        if name:
            return "error", f"the kernel died of signal {name}"
        return "error", "the kernel ended before the notebook did (code that leaves Python ends it)"

    async def clean_up(self) -> None:
        self.kill()
        if self.client and self.client.km:
            with contextlib.suppress(Exception):
                await self.client._async_cleanup_kernel()


def kernel_variables(**variables: str) -> dict[str, str]:
    """The variables and, as an absolute path, the folder of data: a kernel works in a folder of its own."""
    folder = os.environ.get("COURSE_DATA_DIR")
    return {**variables, "COURSE_DATA_DIR": os.path.abspath(folder)} if folder else variables


def kill_group(group: int | None) -> None:
    """Kill every process of the group; this process's own group is never one."""
    if group and group != os.getpgid(0):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def stop_kernels(threads: Container[int] | None = None) -> None:
    """Stop the runs of these threads of this process, or all, because nobody waits for them any more."""
    for thread, run in list(running.items()):
        if threads is None or thread in threads:
            run.stop_unwanted()
