"""Kernels forked from a warm parent (parent.py) into sandboxes that bubblewrap has made."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from course_utils.grading.sandbox import bubblewrap
from course_utils.grading.sandbox.folder import locked_folder, remove
from course_utils.grading.sandbox.guard import children
from course_utils.grading.sandbox.settings import SandboxError

PROGRAM = Path(__file__).with_name("parent.py")
START_SECONDS = 120
WAIT = ["sh", "-c", "echo; exec sleep infinity"]
"""What keeps a sandbox there until the kernel comes; the line tells that it is ready."""


class WarmParent:
    """A process that has imported what notebooks import."""

    def __init__(self):
        self.control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.lock = threading.Lock()
        self.scratch, lock = locked_folder()
        environment = bubblewrap.base_environment() | {
            "HOME": str(self.scratch),
            "MPLCONFIGDIR": str(self.scratch),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # read when matplotlib is imported
        }
        for fonts in bubblewrap.font_lists():
            shutil.copy(fonts, self.scratch)
        del environment["PYTHONPATH"]
        with sealed_python() as python:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(other.fileno())],
                executable=f"/proc/self/fd/{python}",
                pass_fds=(other.fileno(), python, lock),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        other.close()
        os.close(lock)  # the process keeps it
        self.state = "starting"

    def fork(self, request: dict, files: list[int]) -> None:
        """Hand over a request and its files, as soon as the process is ready for one."""
        with self.lock:
            if self.state == "starting":
                self.wait_until_ready()
            if self.state == "broken":
                raise SandboxError("the process that kernels are forked from did not start")
            socket.send_fds(self.control, [json.dumps(request).encode()], files)

    def wait_until_ready(self) -> None:
        self.control.settimeout(START_SECONDS)
        try:
            self.state = "ready" if self.control.recv(64) else "broken"
        except OSError:
            self.state = "broken"
        self.control.settimeout(None)
        remove(self.scratch)
        if self.state == "broken":
            self.process.kill()

    def is_dead(self) -> bool:
        """Whether it was there and is not any more."""
        return self.state == "ready" and self.process.poll() is not None

    def close(self) -> None:
        self.control.close()
        self.process.kill()
        self.process.wait()
        remove(self.scratch)


@contextlib.contextmanager
def sealed_python():
    """This Python's program as a file in memory that cannot be changed.

    A fork can open its parent's program through /proc/self/exe, past all mounts, and an ordinary user may own the file
    that it comes from.
    """
    file = os.memfd_create("python", os.MFD_ALLOW_SEALING)
    try:
        with open(os.path.realpath(sys.executable), "rb") as program:
            os.sendfile(file, program.fileno(), 0, os.fstat(program.fileno()).st_size)
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
        yield file
    finally:
        os.close(file)


the_parent: WarmParent | None = None
lock = threading.Lock()


def parent() -> WarmParent:
    """This process's warm parent, started when it is first asked for, and again if it was killed since."""
    global the_parent
    with lock:
        if the_parent is None or the_parent.is_dead():
            the_parent = WarmParent()
            atexit.register(the_parent.close)
        return the_parent


class WarmProcess:
    """A kernel that was forked into a sandbox, with what jupyter_client asks of a process.

    room  bubblewrap, which has made the sandbox; all in it die with it
    """

    stdin = stdout = stderr = None

    def __init__(self, command: list[str], launch: dict, request: dict, doors: list[str]):
        """Raises SandboxError or OSError.

        command  makes the sandbox and runs WAIT in it
        launch   how, as arguments of Popen
        request  see parent.py
        doors    see cgroups.Group
        """
        own = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "start_new_session": True}
        self.room = subprocess.Popen(command, **launch | own)
        self.returncode: int | None = None
        self.said, self.is_silent = b"", False
        self.answer, other = socket.socketpair()
        files = [other.fileno()]
        try:
            ready = self.room.stdout.readline()
            inhabitants = [pid for first in children(self.room.pid) for pid in children(first)]
            if not ready or len(inhabitants) != 1:
                raise SandboxError("there is no sandbox to fork a kernel into")
            files = [os.pidfd_open(inhabitants[0]), *files, *(os.open(door, os.O_WRONLY) for door in doors)]
            parent().fork(request, files)
            self.answer.settimeout(30)
            first = self.line()
            if not first.isdigit():
                raise SandboxError(f"no kernel could be forked: {first}")
            self.pid = int(first)
        except BaseException:
            self.kill()
            raise
        finally:
            self.room.stdout.close()
            for file in set(files) - {other.fileno()}:
                os.close(file)
            other.close()
        self.answer.settimeout(0)

    def line(self) -> str:
        """The next line of the answer; empty if there is none now, or none any more."""
        while b"\n" not in self.said:
            try:
                more = self.answer.recv(4096)
            except OSError:
                return ""
            if not more:
                self.is_silent = True
                return ""
            self.said += more
        line, self.said = self.said.split(b"\n", 1)
        return line.decode()

    def poll(self) -> int | None:
        if self.returncode is None:
            line = self.line()
            if line:
                self.returncode = int(line) if line.isdigit() else 1
            elif self.is_silent:  # what waited for the kernel was killed, when memory ran out
                self.kill()
                self.returncode = 128 + signal.SIGKILL
            elif self.room.poll() is not None:
                self.returncode = self.room.returncode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        while self.poll() is None:
            time.sleep(0.05)
        return self.returncode

    def kill(self) -> None:
        self.room.kill()
        self.room.wait()

    def send_signal(self, number: int) -> None:
        self.room.send_signal(number)

    def terminate(self) -> None:
        self.kill()
