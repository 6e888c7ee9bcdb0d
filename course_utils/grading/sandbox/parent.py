"""The warm parent: a process that has imported what notebooks import, and forks a kernel into each sandbox.

Run as a program by warm.py. It imports nothing of this package, because a kernel finds the package elsewhere. It runs
no student's code and knows no secret, so that a fork of it has none to give away.

A request comes over the socket that the first argument numbers, as JSON with these files: a process in the sandbox, a
socket to answer on, and the control groups' doors. bubblewrap has made the sandbox. A fork enters its namespaces and
forks again, because only a child is in the new process namespace. The child gives up all rights and becomes the kernel;
its parent waits for its end. The answer is the kernel's number, and then its exit code, each on a line.
"""

import contextlib
import ctypes
import errno
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time

PRELOAD = (
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "implicit",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "lightning",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "numpy",
    "pandas",
    "scipy.sparse",
    "scipy.stats",
    "seaborn",
    "sqlite3",
    "torch",
    "torch._dynamo",
    "tornado.platform.asyncio",
    "tornado.queues",
    "tqdm.auto",
)
MOST_FILES = 64
NAMESPACES = {  # as in linux/sched.h
    "user": 0x10000000,
    "mnt": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
}
SET_DUMPABLE, SET_SECCOMP, DROP_BOUND, NO_NEW_PRIVILEGES = 4, 22, 24, 38  # of prctl
FILTER_MODE, CAPABILITIES_VERSION = 2, 0x20080522
REMOUNT_READ_ONLY = 1 | 32 | 4096  # MS_RDONLY, MS_REMOUNT and MS_BIND
MOUNT_FLAGS = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}  # of statvfs, and what mount calls them
N_SOCKETS = 5

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Import, then answer requests until the other end of the socket is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    del sys.path[0]  # the folder of this program
    for name in PRELOAD:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy the pages of all that was imported
    control.sendall(b"ready\n")
    while True:
        request, files, *_ = socket.recv_fds(control, 2**20, MOST_FILES)
        if not request:
            os._exit(0)  # at once: there is nothing to tidy up
        if os.fork() == 0:
            control.close()
            admit(json.loads(request), *files)
        for file in files:
            os.close(file)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def admit(request: dict, inhabitant: int, answer: int, *doors: int) -> None:
    """Enter the sandbox, fork the kernel there, and wait for it. Never returns."""
    try:
        for door in doors:
            os.write(door, b"0")
        enter(inhabitant)
        started = time.time() - 0.01  # files' times are a little behind
        kernel = os.fork()
        if kernel == 0:
            become_kernel(request, answer)
        os.write(answer, f"{kernel}\n".encode())
        close_folder(request["sockets"], kernel, started)
        code = os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1])
        os.write(answer, f"{code if code >= 0 else 128 - code}\n".encode())
    except BaseException as problem:
        with contextlib.suppress(OSError):
            os.write(answer, f"{type(problem).__name__}: {problem}\n".encode())
    finally:
        os._exit(0)


def enter(inhabitant: int) -> None:
    """Enter the namespaces of the process that the file stands for, where they are not this process's own."""
    with open(f"/proc/self/fdinfo/{inhabitant}") as file:
        pid = next(line.split()[1] for line in file if line.startswith("Pid:"))
    flags = 0
    for name, flag in NAMESPACES.items():
        if os.stat(f"/proc/{pid}/ns/{name}").st_ino != os.stat(f"/proc/self/ns/{name}").st_ino:
            flags |= flag
    must(libc.setns(inhabitant, flags))


def close_folder(folder: str, kernel: int, started: float) -> None:
    """Make the kernel's folder of sockets read-only inside, as soon as all five are there.

    It is on the machine's disk, and could be filled with files that have no names, which nobody outside can see. Only
    root has the right to do so: an ordinary user's mounts belong to a namespace that was left behind.
    """
    while sum(file.stat().st_ctime >= started for file in os.scandir(folder)) < N_SOCKETS:
        if os.waitid(os.P_PID, kernel, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.005)
    given = os.statvfs(folder).f_flag
    kept = sum(mount for shown, mount in MOUNT_FLAGS.items() if given & shown)
    failed = libc.mount(None, os.fsencode(folder), None, REMOUNT_READ_ONLY | kept, None) != 0
    if failed and ctypes.get_errno() != errno.EPERM:
        os.kill(kernel, signal.SIGKILL)


def become_kernel(request: dict, answer: int) -> None:
    """Give up all rights and run the kernel. Never returns."""
    try:
        os.setsid()
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")  # when memory runs out, it is the kernel that has to go
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        nothing = os.open("/dev/null", os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.dup2(answer, 3)
        os.set_inheritable(3, False)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        for name, limit in request["limits"].items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), limit)
        give_up_rights(request["user"], bytes.fromhex(request["filter"]))
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["home"])
        sys.argv = request["argv"]
        sys.path[:0] = request["path"]
        importlib.invalidate_caches()
        reseed()
    except BaseException as problem:
        os.write(3, f"{type(problem).__name__}: {problem}\n".encode())
        os._exit(1)
    os.close(3)
    code = 1
    try:
        sys.modules["ipykernel.kernelapp"].launch_new_instance(argv=sys.argv[1:])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)


def give_up_rights(user: int, program: bytes) -> None:
    """Become that user, without capabilities and any way back, behind the filter of system calls."""
    if os.geteuid() == 0:
        os.setgroups([])
        for capability in range(64):
            libc.prctl(DROP_BOUND, capability, 0, 0, 0)  # fails beyond the last that there is
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    must(libc.capset(header, (ctypes.c_uint32 * 6)()))
    must(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    must(libc.prctl(SET_DUMPABLE, 1, 0, 0, 0))  # else the process may not read its own /proc
    if program:

        class Program(ctypes.Structure):
            _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

        loaded = Program(len(program) // 8, program)
        must(libc.prctl(SET_SECCOMP, FILTER_MODE, ctypes.byref(loaded), 0, 0))


def reseed() -> None:
    """Random numbers that differ from kernel to kernel; Python sees to its own."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def must(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
