"""Watch one sandbox from outside, for what the kernel does not limit by itself."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.grading.sandbox.settings import Limits

if TYPE_CHECKING:
    from course_utils.grading.sandbox.warm import WarmProcess

INTERVAL = 0.2
"""Seconds between two looks."""

MOST_SOCKETS = 16


class Guard(threading.Thread):
    """Kills a sandbox that runs too long, that needs too much memory, or that writes where only its sockets belong.

    process  the kernel, to be asked whether it runs
    room     the process number of bubblewrap; all in the sandbox die with it
    sockets  the folder of the kernel's sockets, the only place of the machine that the sandbox can write to
    memory   whether to add up memory, where no control group limits it
    """

    def __init__(self, process: subprocess.Popen | WarmProcess, room: int, sockets: Path, limits: Limits, memory: bool):
        super().__init__(daemon=True, name="sandbox-guard")
        self.process, self.room, self.sockets, self.limits, self.memory = process, room, sockets, limits, memory
        self.verdict: tuple[str, str] | None = None
        self.most_memory = 0
        self.over = threading.Event()
        self.first: int | None = None  # a handle of the first process inside; when that ends, all have ended
        self.started = time.monotonic()

    def run(self) -> None:
        while not self.over.wait(INTERVAL) and self.process.poll() is None:
            self.find_first()
            self.verdict = self.look()
            if self.verdict:
                self.process.kill()
                return

    @property
    def is_watching(self) -> bool:
        """Whether there is something to stop."""
        return not self.over.is_set()

    def stop(self) -> None:
        """Kill all in the sandbox, and come back when they are gone."""
        self.over.set()
        self.join()
        self.find_first()
        self.process.kill()
        self.process.wait()
        if self.first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.first, signal.SIGKILL)
            gone = select.poll()
            gone.register(self.first)
            gone.poll(5000)
            os.close(self.first)
            self.first = None

    def find_first(self) -> None:
        if self.first is None:
            for pid in children(self.room):
                with contextlib.suppress(ProcessLookupError):
                    self.first = os.pidfd_open(pid)

    def look(self) -> tuple[str, str] | None:
        """The status and the reason for which the sandbox has to end; None if it may go on."""
        if time.monotonic() - self.started > self.limits.wall_seconds:
            return "timeout", f"the kernel was stopped after {self.limits.wall_seconds} s"
        if not holds_only_sockets(self.sockets):
            return "error", "the kernel was stopped because it wrote files beside its own sockets"
        if self.memory:
            self.most_memory = max(self.most_memory, memory_of([*children(self.room), self.process.pid]))
            if self.most_memory > self.limits.total_memory:
                return "memory", too_much_memory(self.limits)
        return None


def too_much_memory(limits: Limits) -> str:
    return f"the notebook needed more than {limits.total_memory / 2**30:.3g} GB of memory"


def holds_only_sockets(folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            with contextlib.suppress(FileNotFoundError):
                if count >= MOST_SOCKETS or not stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
                    return False
    return True


def children(pid: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in file.read_text().split()]
    return found


def memory_of(pids: list[int]) -> int:
    """Bytes of memory of these processes and all that they have started; what several share counts once."""
    total, seen, waiting = 0, set(), list(pids)
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        waiting += children(each)
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss:", "SwapPss:")))
    return total
