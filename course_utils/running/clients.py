"""Connections to a kernel that nobody trusts: what it sends fills neither this process's memory nor the notebook."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from queue import Empty

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from nbclient import NotebookClient
from nbformat import NotebookNode, ValidationError

from course_utils.checks.framework import OBSERVATION_MIME
from course_utils.checks.observation import MAX_BYTES

MAX_CELL_BYTES = 2 * 2**20
"""More output than this of one cell is dropped."""

MAX_NOTEBOOK_BYTES = 8 * 2**20
"""Likewise of all cells together."""

MAX_OBSERVATION_BYTES = 2 * MAX_BYTES
"""The observations that checks leave for their judges may be this large in sum; they are no part of what cells show."""

MAX_MESSAGE_BYTES, MAX_WAITING = 128 * 2**20, 20
"""A larger message cuts the kernel off; while so many messages wait to be looked at, the kernel has to wait."""


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
