"""A kernel's folder on the machine: how it is reached from outside, and all that it shares with it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

HOME = "/home/student"
PREFIX = "course-kernel-"


class KernelFolder:
    """A folder that nobody else can enter, locked for as long as the kernel runs.

    connection_file  how clients find the kernel
    sockets          where the kernel listens, the only folder of the machine that it can write to
    etc              what stands in /etc inside, made up
    """

    def __init__(self, user: int):
        """user: the number of the user that the kernel runs as."""
        self.path, self.lock = locked_folder()
        self.connection_file, self.sockets, self.etc = (self.path / name for name in ("kernel.json", "sockets", "etc"))
        self.sockets.mkdir(mode=0o700)
        self.etc.mkdir()
        self.etc.chmod(0o755)
        group = user if os.geteuid() == 0 else os.getegid()
        files = {
            "passwd": f"root:x:0:0:::\nstudent:x:{user}:{group}::{HOME}:/bin/sh\n",
            "group": f"root:x:0:\nstudent:x:{group}:\n",
            "hosts": "127.0.0.1 localhost sandbox\n",
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        }
        for name, text in files.items():
            (self.etc / name).write_text(text)
            (self.etc / name).chmod(0o644)
        self.give_to(user)

    def give_to(self, user: int) -> None:
        """Let this user read the connection file and make sockets."""
        for path in (self.sockets, self.connection_file):
            if path.exists():
                os.chown(path, user, -1)

    def remove(self) -> None:
        """Remove the folder, whatever is in it. No process of the kernel is left by now."""
        remove(self.path)
        os.close(self.lock)


def locked_folder() -> tuple[Path, int]:
    """A new folder and the lock on it, after those of processes are removed that were killed before they could."""
    place = tempfile.gettempdir()
    if len(os.fsencode(place)) > 60:  # the path of a socket has at most 107 bytes
        place = "/tmp"
    sweep(Path(place))
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    lock = os.open(path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # it holds folders without rights, or more of them inside each other than Python follows
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], stderr=subprocess.DEVNULL, check=False)


def sweep(place: Path) -> None:
    """Remove the folders that nobody holds the lock of."""
    for folder in place.glob(f"{PREFIX}*"):
        # A minute's grace: between a folder and its lock lies a moment.
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid() or age(folder) < 60:
                continue
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(folder)
            finally:
                os.close(lock)


def age(folder: Path) -> float:
    """Seconds since something was made in the folder."""
    return time.time() - folder.stat().st_mtime
