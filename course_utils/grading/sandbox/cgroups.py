"""A control group for each kernel, where this process may make one: its limits count all processes together.

Groups are only made where nothing else has to be changed: below this process's own group (version 1), or in the nearest
group above it that hands memory and pids on to its children (version 2; systemd's user sessions have one). Sources:
Linux's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from course_utils.grading.sandbox.settings import Limits

NEEDED = ("memory", "pids")
WANTED = ("memory", "pids", "cpu")  # with cpu, each kernel gets an equal share, however many processes it starts


@dataclass(frozen=True)
class Place:
    """Where groups can be made.

    parents  controller to the folder that a group's folder is made in; version 2 has one for all
    """

    version: int
    parents: dict[str, Path]


def find_place(proc: Path = Path("/proc/self")) -> Place | None:
    """Where this process can make groups that limit memory or the number of processes; None if nowhere."""
    own = {}
    for line in (proc / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path.lstrip("/")
    mounts = [line.split() for line in (proc / "mounts").read_text().splitlines()]
    for _, mount, kind, *_ in mounts:
        if kind == "cgroup2" and "" in own and (parent := delegating(Path(mount), own[""])):
            return Place(2, dict.fromkeys(handed_on(parent), parent))
    parents = {}
    for _, mount, kind, options, *_ in mounts:
        for controller in set(WANTED) & set(options.split(",")):
            if kind == "cgroup" and controller in own:
                folders = (Path(mount) / own[controller], Path(mount))  # the second: a container sees only its own
                parents |= {controller: next((f for f in folders if is_writable(f)), None)}
    parents = {controller: folder for controller, folder in parents.items() if folder}
    return Place(1, parents) if set(NEEDED) & set(parents) else None


def delegating(mount: Path, own: str) -> Path | None:
    """The nearest group above this process's that hands on what is needed; not beyond a group with a limit."""
    folder = mount / own
    while folder != mount:
        with contextlib.suppress(OSError):
            if (folder / "memory.max").read_text().strip() != "max":
                return None
        folder = folder.parent
        if is_writable(folder) and set(NEEDED) <= set(handed_on(folder)):
            return folder
    return folder if is_writable(folder) and set(NEEDED) <= set(handed_on(folder)) else None


def handed_on(folder: Path) -> list[str]:
    try:
        return (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return []


def is_writable(folder: Path) -> bool:
    """Whether processes can be put into groups made here. A mount that is read-only says no to root, too."""
    return os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


class Group:
    """One kernel's control group. Processes enter it by writing their number to each of `doors`."""

    def __init__(self, place: Place, limits: Limits):
        """Raises OSError if the group cannot be made."""
        self.version = place.version
        name = f"course-{os.getpid()}-{secrets.token_hex(4)}"
        self.folders = {controller: parent / name for controller, parent in place.parents.items()}
        sweep(place)
        try:
            for folder in set(self.folders.values()):
                folder.mkdir()
            for controller, file, value in self.settings(limits):
                if controller in self.folders:
                    (self.folders[controller] / file).write_text(str(value))
            self.forbid_swap(limits)
        except OSError:
            self.remove()
            raise

    def settings(self, limits: Limits) -> list[tuple[str, str, int]]:
        memory = "memory.max" if self.version == 2 else "memory.limit_in_bytes"
        own = 6  # bubblewrap's processes, and those that wait for a kernel
        return [("memory", memory, limits.total_memory), ("pids", "pids.max", limits.processes + own)]

    def forbid_swap(self, limits: Limits) -> None:
        """Where the machine swaps at all: version 1 limits the sum, version 2 the swap."""
        file, value = (
            ("memory.swap.max", 0) if self.version == 2 else ("memory.memsw.limit_in_bytes", limits.total_memory)
        )
        if "memory" in self.folders and (path := self.folders["memory"] / file).exists():
            path.write_text(str(value))

    @property
    def limits_memory(self) -> bool:
        return "memory" in self.folders

    @property
    def doors(self) -> list[Path]:
        return sorted({folder / "cgroup.procs" for folder in self.folders.values()})

    def out_of_memory(self) -> bool:
        """Whether a process of the group was killed because their memory together passed the limit."""
        if not self.limits_memory:
            return False
        file = self.folders["memory"] / ("memory.events" if self.version == 2 else "memory.oom_control")
        with contextlib.suppress(OSError):
            return any(
                line.startswith("oom_kill ") and line.split()[1] != "0" for line in file.read_text().splitlines()
            )
        return False

    def remove(self) -> None:
        """Kill whatever is left in the group, and remove it."""
        for folder in set(self.folders.values()):
            deadline = time.monotonic() + 5
            while folder.exists():
                with contextlib.suppress(OSError):
                    for pid in (folder / "cgroup.procs").read_text().split():
                        os.kill(int(pid), signal.SIGKILL)
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.01)


def make_group(limits: Limits) -> Group | None:
    """A group with these limits; None if this machine does not let us make one."""
    place = find_place()
    with contextlib.suppress(OSError):
        return Group(place, limits) if place else None
    return None


def sweep(place: Place) -> None:
    """Remove the empty groups of processes that were killed before they could."""
    for parent in set(place.parents.values()):
        for folder in parent.glob("course-*-*"):
            if not Path("/proc", folder.name.split("-")[1]).exists():
                with contextlib.suppress(OSError):  # of a group that still has processes
                    folder.rmdir()
