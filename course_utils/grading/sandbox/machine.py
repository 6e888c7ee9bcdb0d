"""What this machine can do for a sandbox, found out by trying; and one clear line where it cannot."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from course_utils.grading.sandbox import bubblewrap, cgroups, seccomp
from course_utils.grading.sandbox.folder import KernelFolder
from course_utils.grading.sandbox.settings import Limits, Sandbox, SandboxError

APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
SWITCHES = {
    APPARMOR: ("1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
    Path("/proc/sys/kernel/unprivileged_userns_clone"): ("0", "sysctl kernel.unprivileged_userns_clone=1"),
    Path("/proc/sys/user/max_user_namespaces"): ("0", "sysctl user.max_user_namespaces=10000"),
}
"""Settings that keep ordinary users from making namespaces: the value that does, and the command that ends it."""


@functools.cache
def check() -> None:
    """Try a sandbox out. Raises SandboxError, in one line, if this machine can have none."""
    user = bubblewrap.choose_user()
    folder = KernelFolder(user)
    try:
        with filter_words() as (words, passed):
            inner = [sys.executable, "-c", "import course_utils"]
            command = bubblewrap.command(inner, Sandbox(), user, {}, folder)
            command[1:1] = words
            tried = subprocess.run(command, pass_fds=passed, capture_output=True, text=True, timeout=60, cwd="/")
    finally:
        folder.remove()
    if tried.returncode:
        raise SandboxError(explain(tried.stderr))
    if not bubblewrap.font_lists():
        # matplotlib makes its list of fonts now, and not in each kernel anew; without it, kernels are only slower
        subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], capture_output=True, check=False)


def explain(said: str) -> str:
    """Why bubblewrap did not work, and what helps."""
    line = " ".join((said.strip().splitlines() or ["it said nothing"])[-1].split())[:300]
    if os.geteuid() != 0:
        for path, (value, remedy) in SWITCHES.items():
            with contextlib.suppress(OSError):
                if path.read_text().strip() == value:
                    who = "AppArmor keeps" if path == APPARMOR else "This system keeps"
                    own = ", or give bwrap an AppArmor profile that allows `userns`" if path == APPARMOR else ""
                    return f"{who} bubblewrap from making a sandbox ({line}). As root: {remedy}{own}."
    container = "; a container must be allowed to make namespaces (docker run --privileged)" if in_container() else ""
    return f"bubblewrap {bubblewrap.version()} cannot make a sandbox here: {line}{container}"


def in_container() -> bool:
    return any(os.path.exists(name) for name in ("/.dockerenv", "/run/.containerenv"))


@contextlib.contextmanager
def filter_words() -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """The arguments that give bubblewrap the filter of system calls, and the file numbers to hand over."""
    program = seccomp.program()
    if program is None:
        yield [], ()
        return
    with tempfile.TemporaryFile() as file:
        file.write(program)
        file.flush()
        file.seek(0)
        yield ["--seccomp", str(file.fileno())], (file.fileno(),)


def check_readable(binds: dict[str, str], user: int) -> None:
    """Raises SandboxError if something to be shown inside does not exist or cannot be read by the sandbox's user."""
    for outside in binds:
        if not os.path.exists(outside):
            raise SandboxError(f"{outside} does not exist, so a sandbox cannot show it")
        if user == os.geteuid():
            continue
        inner = [os.path.join(folder, name) for folder, _, names in os.walk(outside) for name in (*names, ".")]
        for path in (outside, *inner):
            if not os.stat(path).st_mode & 0o004:
                hint = "a sandbox that root starts runs as another user"
                raise SandboxError(
                    f"{os.path.normpath(path)} can be read by its owner alone, and {hint}: chmod -R o+rX it"
                )


def report(limits: Limits | None = None) -> dict[str, str]:
    """What a sandbox on this machine is made of: subject to line, for people. Raises SandboxError if there is none."""
    limits = limits or Limits()
    check()
    root = os.geteuid() == 0
    group = cgroups.make_group(limits)
    held = group.folders if group else {}
    total, count = f"{limits.total_memory / 2**30:.3g} GB", limits.processes
    in_group = f"by control groups (version {group.version})" if group else ""
    if group:
        group.remove()
    return {
        "bubblewrap": bubblewrap.version(),
        "user": "a number of its own, without rights" if root else "yours, in a user namespace of its own",
        "network": "none",
        "system calls": "filtered" if seccomp.program() else "not filtered: the filter does not know this processor",
        "memory": f"{limits.memory / 2**30:.3g} GB a process; {total} in all, "
        + (in_group if "memory" in held else "added up five times a second (no control group can be made here)"),
        "processes": f"{count}, "
        + (in_group if "pids" in held else "by a limit on the user (no control group can be made here)"),
        "computing": f"{limits.cpu_seconds} s a process; "
        + ("equal shares, by control groups" if "cpu" in held else "no shares (no control group can be made here)"),
        "files": f"{limits.open_files} open, of {limits.file_size / 2**20:.0f} MB at most; "
        f"{limits.disk / 2**20:.0f} MB of scratch, in memory",
    }
