"""The command line that puts a kernel under bubblewrap, and the reasons why it may not work on a machine.

Two ways, by who runs it. An ordinary user's sandbox has a user namespace: bubblewrap has rights only there. Root's has
none, because the kernel does not count the processes of root: the command inside gives up root for a user number of its
own before it starts Python.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import course_utils
from course_utils.grading.sandbox.folder import HOME, KernelFolder
from course_utils.grading.sandbox.settings import Limits, Sandbox, SandboxError

PACKAGE = Path(course_utils.__file__).resolve().parent
COURSE = "/course"
"""Where the package lies inside: of a checkout, nothing else is visible."""

INSTALL = "install it with: apt-get install bubblewrap (Debian, Ubuntu) or: dnf install bubblewrap (Fedora)"
FREE_USERS = (61184, 65519)
"""The numbers that systemd, too, gives to users which exist only while a service runs."""

SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts")


def find() -> str:
    """The path of bwrap. Raises SandboxError if it is missing or too old."""
    program = shutil.which("bwrap")
    if not program:
        raise SandboxError(f"The sandbox needs bubblewrap, which is not installed; {INSTALL}")
    if sys.platform != "linux":
        raise SandboxError("The sandbox needs Linux.")
    if "--size" not in run([program, "--help"]).stdout:
        raise SandboxError(f"The sandbox needs bubblewrap 0.7 or newer, and this is {version()}; {INSTALL}")
    for tool in ("prlimit", "setpriv"):
        if not shutil.which(tool):
            raise SandboxError(f"The sandbox needs {tool}, which is not installed: it is part of util-linux.")
    return program


def version() -> str:
    words = run(["bwrap", "--version"]).stdout.split()
    return words[-1] if words else "of unknown version"


def run(command: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def choose_user() -> int:
    """The user number that the kernel gets: one of its own under root, else this process's."""
    first, last = FREE_USERS
    return first + secrets.randbelow(last - first) if os.geteuid() == 0 else os.geteuid()


def command(
    inner: list[str], sandbox: Sandbox, user: int, environment: dict[str, str], folder: KernelFolder
) -> list[str]:
    """The command that runs `inner` in a sandbox.

    user         as `choose_user` made it
    environment  the variables inside, besides those that every sandbox has
    folder       the kernel's own
    """
    words = [find(), *namespaces(user), "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    for name, value in {**base_environment(), **environment}.items():
        words += ["--setenv", name, value]
    words += [*mounts(sandbox, folder), "--chdir", HOME, "--"]
    words += [shutil.which("prlimit"), *prlimit(sandbox.limits), "--"]
    if os.geteuid() == 0:
        words += [shutil.which("setpriv"), "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        words += ["--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs", "--"]
    return [*words, *inner]


def prlimit(limits: Limits) -> list[str]:
    return [f"--{name}={soft}:{hard}" for name, (soft, hard) in limits.of_processes().items()]


def namespaces(user: int) -> list[str]:
    apart = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() == 0:
        needed = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")  # to give them all up
        return [*apart, "--cap-drop", "ALL", *(word for name in needed for word in ("--cap-add", name))]
    return [*apart, "--unshare-user", "--uid", str(user), "--gid", str(os.getegid()), "--cap-drop", "ALL"]


def base_environment() -> dict[str, str]:
    """The variables that every kernel has: nothing of this process's own environment."""
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        "HOME": HOME,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([f"{sys.prefix}/bin", "/usr/local/bin", "/usr/bin", "/bin"]),
        "PYTHONPATH": COURSE,
        **dict.fromkeys(threads, "1"),
    }


def mounts(sandbox: Sandbox, folder: KernelFolder) -> list[str]:
    """What is mounted where, as arguments: a folder before what lies in it, so that nothing is covered by accident."""
    disk = ["--size", str(sandbox.limits.disk)]
    places = {
        "/proc": ["--proc"],
        "/dev": ["--dev"],
        "/dev/shm": [*disk, "--perms", "1777", "--tmpfs"],
        "/tmp": [*disk, "--perms", "1777", "--tmpfs"],
        HOME: [*disk, "--perms", "0777", "--tmpfs"],
        "/usr": ["--ro-bind", "/usr"],
        f"{COURSE}/course_utils": ["--ro-bind", str(PACKAGE)],
    }
    for name in SYSTEM:
        if os.path.islink(name):
            places[name] = ["--symlink", os.readlink(name)]
        elif os.path.isdir(name):
            places[name] = ["--ro-bind", name]
    places |= {name: ["--ro-bind-try", name] for name in SETTINGS}
    places |= {f"/etc/{file.name}": ["--ro-bind", str(file)] for file in folder.etc.iterdir()}
    places |= {f"{HOME}/.cache/matplotlib/{file.name}": ["--ro-bind", str(file)] for file in font_lists()}
    places |= python_mounts(filled(places))
    seen = [name for name, words in places.items() if words[0].startswith("--ro-bind")] + [*sandbox.binds.values()]
    covers = [name for name in (*sandbox.hidden, *checkout()) if any(is_within(name, place) for place in seen)]
    places |= {name: ["--perms", "0755", "--tmpfs"] for name in covers}
    places |= {inside: ["--ro-bind", outside] for outside, inside in sandbox.binds.items()}
    places[str(folder.connection_file)] = ["--ro-bind-try", str(folder.connection_file)]
    places[str(folder.sockets)] = ["--bind", str(folder.sockets)]
    words = []
    for name in sorted(places, key=lambda name: (name.count("/"), name)):
        for above in reversed(Path(name).parents[:-1]):  # which bubblewrap would make for root alone
            words += ["--perms", "0777" if is_within(str(above), HOME) else "0755", "--dir", str(above)]
        words += [*places[name], name]
    return [*words, *(word for name in ("/dev", *covers, "/") for word in ("--remount-ro", name))]


def filled(places: dict[str, list[str]]) -> list[str]:
    """The places but for those that are empty inside, whatever lies there outside; links lead to what others show."""
    return [name for name, words in places.items() if words[-1] != "--tmpfs"]


def python_mounts(places: list[str]) -> dict[str, list[str]]:
    """This Python's folders, and the links from its name to the program itself, as far as `places` lack them."""
    program = os.path.realpath(sys.executable)
    named = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, str(Path(program).parents[1])}
    prefixes = named | {os.path.realpath(prefix) for prefix in named}
    added = {p: ["--ro-bind", p] for p in sorted(prefixes) if not any(is_within(p, place) for place in places)}
    link = sys.executable
    while os.path.islink(link):
        target = os.readlink(link)
        if not any(is_within(link, place) for place in (*places, *added)):
            added[link] = ["--symlink", target]
        link = os.path.normpath(os.path.join(os.path.dirname(link), target))
    return added


def is_within(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def checkout() -> list[str]:
    """The folder that the package lies in, if that is a checkout: there are answers beside it."""
    folder = PACKAGE.parent
    return [str(folder)] if (folder / "pyproject.toml").exists() else []


def font_lists() -> list[Path]:
    """matplotlib's lists of fonts, where this user has them: to make one takes longer than to start a kernel."""
    cache = os.environ.get("MPLCONFIGDIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "matplotlib"
    )
    return sorted(Path(cache).glob("fontlist-*.json"))
