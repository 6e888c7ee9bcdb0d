"""What a sandbox allows: limits, and what is visible inside besides Python and this package."""

from __future__ import annotations

import dataclasses
import resource
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

MB = 2**20


class SandboxError(CourseError):
    """There can be no sandbox; the message is one line that says why, and what helps."""


@dataclass(frozen=True)
class Limits:
    """What one kernel and everything that it starts may use.

    cpu_seconds   seconds of computing, of each process
    wall_seconds  seconds until the kernel is killed, whatever it does
    memory        bytes of data of each process; beyond it Python raises MemoryError
    total_memory  bytes of all processes and scratch files together; beyond it the kernel is killed
    processes     processes and threads
    open_files    open files of each process
    file_size     bytes of each file
    disk          bytes that the home, /tmp and /dev/shm may hold, each; all of them lie in memory
    """

    cpu_seconds: int = 3600
    wall_seconds: int = 7200
    memory: int = 3072 * MB
    total_memory: int = 4096 * MB
    processes: int = 128
    open_files: int = 1024
    file_size: int = 256 * MB
    disk: int = 512 * MB

    def of_processes(self) -> dict[str, tuple[int, int]]:
        """The limits of single processes, soft and hard, by prlimit's names. None is above what this process has."""
        wanted = {
            "cpu": self.cpu_seconds,
            "data": self.memory,
            "nproc": self.processes,
            "nofile": self.open_files,
            "fsize": self.file_size,
            "core": 0,
        }
        limits = {}
        for name, limit in wanted.items():
            hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            # Past its soft limit a process gets SIGXCPU, by which we know why it died; one that ignores it is killed.
            upper = limit + 5 if name == "cpu" and hard in (resource.RLIM_INFINITY, max(hard, limit + 5)) else limit
            limits[name] = (limit, upper)
        return limits


@dataclass(frozen=True)
class Sandbox:
    """What one kernel's sandbox is made of.

    binds   folders and files that are visible inside, read-only: path outside to path inside
    hidden  folders that must not be seen, even if they lie within one that is visible
    warm    fork the kernel from a process of ours that has imported what notebooks import
    """

    limits: Limits = field(default_factory=Limits)
    binds: dict[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    warm: bool = False

    def kernel_manager(self, environment: dict[str, str]) -> AsyncKernelManager:
        """What starts a kernel with these variables in such a sandbox; the runner asks for it."""
        from course_utils.grading.sandbox.provisioner import sandboxed_manager

        return sandboxed_manager(self, environment)

    def as_config(self) -> dict:
        """As plain values: the configuration of the provisioner in a kernelspec."""
        return dataclasses.asdict(self) | {"hidden": list(self.hidden)}
