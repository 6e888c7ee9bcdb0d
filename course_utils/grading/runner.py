"""Run one notebook in a fresh kernel, whatever is in it, and say how that ended.

`execute` takes and returns plain values, so that it can run in this process, in a worker, or on another machine.
A cell that runs too long is interrupted; a kernel that does not answer the interrupt, or a notebook that exceeds its
own time, is killed with all its processes. What ran before keeps its outputs. With a sandbox, the kernel runs in one.
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
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL

import nbformat
import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError

from course_utils.checks.framework import OBSERVATION_MIME
from course_utils.checks.observation import MAX_BYTES
from course_utils.grading.sandbox.settings import Sandbox

TIMEOUT_NAME = "CellTimeoutError"
"""The error that a cell which was interrupted carries among its outputs."""

INTERRUPT_GRACE = 10
"""Seconds in which a kernel has to answer an interrupt."""

MAX_CELL_BYTES = 2 * 2**20
"""More output than this of one cell is dropped."""

MAX_NOTEBOOK_BYTES = 8 * 2**20
"""Likewise of all cells together."""

MAX_OBSERVATION_BYTES = 2 * MAX_BYTES
"""The observations that checks leave for their judges may be this large in sum; they are no part of what cells show."""

MAX_MESSAGE_BYTES, MAX_WAITING = 128 * 2**20, 20
"""A larger message cuts the kernel off; while so many messages wait to be looked at, the kernel has to wait."""

running: dict[int, Run] = {}
"""Thread to the notebook that it runs, of this process."""


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


class BoundedKernelClient(AsyncKernelClient):
    """A connection that lets a kernel fill no more of this process's memory than its messages may."""

    def _context_default(self):
        context = super()._context_default()
        context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        context.setsockopt(zmq.RCVHWM, MAX_WAITING)
        context.setsockopt(zmq.RECONNECT_IVL, 10)  # milliseconds: a kernel that is only just coming up is soon met
        return context

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """As jupyter_client's, but over with the first sign on both channels; that one waits for 0.2 s of silence."""
        deadline = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < deadline:
            self.kernel_info()
            with contextlib.suppress(Empty):
                await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=0.2)
                return
            if not await self._async_is_alive():
                raise RuntimeError("the kernel ended before it was ready")
        raise RuntimeError(f"the kernel was not ready after {timeout} s")

    wait_for_ready = _async_wait_for_ready


class CappedClient(NotebookClient):
    """A notebook client that stops storing output at a limit, and never shows more than it stores."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.written: Counter[int] = Counter()
        self.all_written = 0
        self.observed: Counter[int] = Counter()
        self.cut: set[int] = set()

    def process_message(self, msg, cell, cell_index):
        """As nbclient's, but deaf to messages that no kernel sends: they would become part of the notebook."""
        if type(msg["content"].get("execution_count", 0)) not in (int, type(None)):
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except ValidationError:
            return None

    def handle_comm_msg(self, outs, msg, cell_index):
        """Widgets have no front end here."""

    def _update_display_id(self, display_id, msg):
        """Change what an earlier cell shows, within the limit of all cells that show it."""
        size = len(str(msg["content"]))
        cells = list(self._display_id_map.get(display_id, {}))
        if all(self.has_room(index, len(cells) * size) for index in cells):
            for index in cells:
                self.count(index, size)
            super()._update_display_id(display_id, msg)

    def output(self, outs, msg, display_id, cell_index):
        size = len(str(msg["content"]))
        of_others = self.observed.total() - self.observed[cell_index]
        if OBSERVATION_MIME in msg["content"].get("data", {}) and of_others + size <= MAX_OBSERVATION_BYTES:
            # Room of its own, for one: of several, judges look at the last.
            self.observed[cell_index] = size
            outs[:] = [earlier for earlier in outs if OBSERVATION_MIME not in earlier.get("data", {})]
            return super().output(outs, msg, display_id, cell_index)
        if not self.has_room(cell_index, size, times=2 if msg["msg_type"] in ("execute_result", "error") else 1):
            if cell_index not in self.cut:
                text = "\n... more output than is kept ...\n"
                outs.append(NotebookNode(output_type="stream", name="stdout", text=text))
            self.cut.add(cell_index)
            return None
        self.count(cell_index, size)
        return super().output(outs, msg, display_id, cell_index)

    def count(self, cell_index: int, size: int) -> None:
        self.written[cell_index] += size
        self.all_written += size

    def has_room(self, cell_index: int, size: int, times: int = 1) -> bool:
        """Whether so much more may be stored. For what a cell comes to, the limit is twice that of what it prints."""
        if times == 1 and cell_index in self.cut:
            return False  # nothing small gets in after something was left out
        own, of_all = self.written[cell_index] + size, self.all_written + size
        return own <= times * MAX_CELL_BYTES and of_all <= times * MAX_NOTEBOOK_BYTES


def joined_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with one piece a stream, where its first stood, and of a progress bar only its last state."""
    kept, pieces = [], {}
    for output in outputs:
        if output.output_type != "stream":
            kept.append(output)
        elif output.name in pieces:
            pieces[output.name].append(output.text)
        else:
            kept.append(output)
            pieces[output.name] = [output.text]
    for output in kept:
        if output.output_type == "stream":
            lines = "".join(pieces[output.name]).split("\n")
            output.text = "\n".join(map(last_state, lines))
    return kept


def last_state(line: str) -> str:
    """What a line shows in the end that was written over again and again, blanks that wipe it out included."""
    return line.rstrip("\r").rpartition("\r")[2].rstrip() if "\r" in line else line


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
            outcome = asyncio.run(run.to_its_end())
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
        manager, launch = self.sandboxed() if self.settings.sandbox else self.unprotected()
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

    def sandboxed(self) -> tuple[AsyncKernelManager, dict]:
        """A kernel in a sandbox, which brings its own folder and environment."""
        from course_utils.grading.sandbox.provisioner import sandboxed_manager

        return sandboxed_manager(self.settings.sandbox, self.settings.environment), {}

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

    def process_group(self) -> int | None:
        """The kernel's process group, which everything that it starts belongs to."""
        return getattr(self.provisioner, "pgid", None)

    @property
    def provisioner(self) -> LocalProvisioner | None:
        """What started the kernel; None before that."""
        return self.client.km.provisioner if self.client and self.client.km else None

    def stop_for_time(self) -> None:
        self.out_of_time = True
        kill_group(self.process_group())

    def stop_unwanted(self) -> None:
        self.unwanted = True
        kill_group(self.process_group())

    async def cause_of_death(self) -> tuple[str, str]:
        """Why a kernel that died did."""
        if self.out_of_time:
            return "timeout", f"the notebook was stopped after {self.settings.notebook_timeout} s"
        if self.settings.sandbox and self.provisioner:
            return self.provisioner.cause_of_death() or ("error", "the kernel was stopped from outside")
        code = await self.provisioner.poll() if self.provisioner else None
        if code == -signal.SIGKILL:
            return "memory", "the kernel was killed, most likely because the memory ran out"
        if code is not None and code < 0:
            return "error", f"the kernel died of signal {signal.Signals(-code).name}"
        return "error", "the kernel ended before the notebook did (code that leaves Python ends it)"

    async def clean_up(self) -> None:
        kill_group(self.process_group())
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
