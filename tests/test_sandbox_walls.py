"""A kernel in a real sandbox that looks round and tries to get out: nothing that it does reaches outside."""

import os
import re
import socket
import sys

import pytest
from sandboxes import MB, REPO, limited, needs_bubblewrap, run

pytestmark = needs_bubblewrap

TRY = """
def tried(function):
    try:
        return function()
    except Exception as problem:
        return type(problem).__name__
"""


@pytest.fixture(scope="module")
def listeners(tmp_path_factory):
    """What a hostile notebook may try to reach: sockets of this process. Name to socket."""
    path = str(tmp_path_factory.mktemp("s") / "unix")
    ready = {"tcp": socket.socket(), "unix": socket.socket(socket.AF_UNIX), "abstract": socket.socket(socket.AF_UNIX)}
    ready["udp"] = socket.socket(type=socket.SOCK_DGRAM)
    for name, address in (
        ("tcp", ("127.0.0.1", 0)),
        ("udp", ("127.0.0.1", 0)),
        ("unix", path),
        ("abstract", f"\0{path}"),
    ):
        ready[name].bind(address)
        ready[name].setblocking(False)
        if name != "udp":
            ready[name].listen()
    yield ready
    for each in ready.values():
        each.close()


@pytest.fixture(scope="module", params=[False, True], ids=["started", "forked"])
def hostile(request, listeners, tmp_path_factory):
    """One kernel that looks round and tries to get out. What it was asked to name, to what it answered."""
    marker = tmp_path_factory.mktemp("marker")
    os.environ["COURSE_TEST_KEY"] = "of the grader"
    questions = {
        "tcp": f"socket.create_connection({listeners['tcp'].getsockname()}, 3)",
        "udp": f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', {listeners['udp'].getsockname()})",
        "unix": f"socket.socket(socket.AF_UNIX).connect({listeners['unix'].getsockname()!r})",
        "abstract": f"socket.socket(socket.AF_UNIX).connect({listeners['abstract'].getsockname()!r})",
        "names": "socket.getaddrinfo('example.org', 80)",
        "outside": "socket.create_connection(('192.0.2.1', 80), 3)",
        "vsock": "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "interfaces": "[name for _, name in socket.if_nameindex()]",
        "checkout": f"os.path.exists({str(REPO / 'solutions')!r})",
        "marker": f"os.path.exists({str(marker)!r})",
        "home": "os.listdir('/home')",
        "root": "[name for name in os.listdir('/root') if name != '.pyenv'] if os.path.isdir('/root') else []",
        "etc": "sorted(os.listdir('/etc'))",
        "processes": "[int(name) for name in os.listdir('/proc') if name.isdigit()]",
        "key": "'COURSE_TEST_KEY' in os.environ",
        "key of init": "b'COURSE_TEST_KEY' in open('/proc/1/environ', 'rb').read()",
        "user": "os.getuid() * os.geteuid() * os.getgid()",
        "groups": "os.getgroups()",
        "rights": "[line.split()[1] for line in open('/proc/self/status') if line[:4] in ('CapE', 'CapP', 'NoNe')]",
        "namespace": "libc.unshare(0x10000000), ctypes.get_errno()",
        "trace": "libc.ptrace(16, 1, 0, 0), ctypes.get_errno()",
        "mount": "libc.mount(b'x', b'/tmp', b'tmpfs', 0, None), ctypes.get_errno()",
        "kill": f"os.kill({os.getpid()}, 9)",
        "init": "os.kill(1, 9)",
        "program": "open('/proc/self/exe', 'r+b')",
        "descriptors": "sorted({os.readlink(path).split(':')[0] for path in glob.glob('/proc/self/fd/*')[:-1]})",
        "program file": "os.readlink('/proc/self/exe').split(':')[0]",
        "writable": "[line.split()[4] for line in open('/proc/self/mountinfo') if line.split()[5].startswith('rw')]",
        "memory": "len(bytearray(4 * 2**30))",
        "files": "len([os.open('/dev/null', 0) for _ in range(2000)])",
        "big file": "open('/tmp/big', 'wb').write(bytes(300 * 2**20))",
        "disk": "[open(f'/tmp/{n}', 'wb').write(bytes(100 * 2**20)) for n in range(9)]",
        "shared memory": "[open(f'/dev/shm/{n}', 'wb').write(bytes(100 * 2**20)) for n in range(9)]",
        "threads": "[threading.Thread(target=time.sleep, args=(3,)).start() for n in range(300)]",
    }
    questions |= {
        f"write {place}": f"open(os.path.join({place!r}, 'x'), 'w')"
        for place in (
            "/",
            "/usr",
            "/etc",
            "/dev",
            "/proc/sys/kernel",
            sys.prefix,
            "/course/course_utils",
            str(REPO),
            "/home",
        )
    }
    # It prints first, as lessons do: ipykernel opens what it prints through then, and later all files are used up.
    cells = ["import glob, os, socket, ctypes, threading, time\nlibc = ctypes.CDLL(None, use_errno=True)\nprint()\n"]
    cells[0] += TRY
    cells += [f"tried(lambda: ({question}))" for question in questions.values()]
    texts, outcome = run(*cells, "print('alive')", sandbox=limited(request.param, disk=400 * MB))
    os.environ.pop("COURSE_TEST_KEY")
    assert (outcome.status, texts[-1]) == ("ok", "alive\n"), outcome
    assert not list(marker.iterdir())
    return {"forked": request.param} | dict(zip(questions, texts[1:-1], strict=True))


def test_nothing_can_be_reached_by_network(hostile, listeners):
    assert hostile["tcp"] == "'ConnectionRefusedError'"
    assert hostile["unix"] == "'FileNotFoundError'"
    assert hostile["abstract"] == "'ConnectionRefusedError'"
    assert hostile["names"] == "'gaierror'"
    assert hostile["outside"] == "'OSError'"
    assert hostile["vsock"] == "'OSError'"
    assert hostile["interfaces"] == "['lo']"
    for name in ("tcp", "unix", "abstract"):
        with pytest.raises(BlockingIOError):
            listeners[name].accept()
    with pytest.raises(BlockingIOError):
        listeners["udp"].recv(1)


def test_only_python_and_the_package_can_be_seen(hostile):
    assert (hostile["checkout"], hostile["marker"]) == ("False", "False")
    assert (hostile["home"], hostile["root"]) == ("['student']", "[]")
    assert not {"shadow", "hostname", "ssh"} & set(eval(hostile["etc"]))


def test_other_processes_and_their_environment_cannot_be_seen(hostile):
    pids = eval(hostile["processes"])
    assert len(pids) <= 3
    assert max(pids) < 100
    assert hostile["key"] == "False"
    assert hostile["key of init"] in ("False", "'PermissionError'")


def test_a_kernel_has_no_rights_to_give_away(hostile):
    assert eval(hostile["user"]) > 0
    assert hostile["groups"] in ("[]", f"[{os.getgid()}]")
    assert hostile["rights"] == "['0000000000000000', '0000000000000000', '1']"
    for name in ("namespace", "trace", "mount"):
        assert hostile[name] == "(-1, 1)"  # EPERM
    assert hostile["kill"] == "'ProcessLookupError'"
    assert hostile["init"] in ("'PermissionError'", "None")  # None: init is out of reach of its own children's signals


def test_a_kernel_holds_no_file_of_the_machine(hostile):
    assert hostile["program"] in ("'OSError'", "'PermissionError'")
    # One that was forked has its parent's program, past all mounts: a sealed copy.
    assert eval(hostile["program file"]) == ("/memfd" if hostile["forked"] else os.path.realpath(sys.executable))
    assert set(eval(hostile["descriptors"])) <= {"/dev/null", "/dev/ptmx", "anon_inode", "pipe", "socket"}


def test_nothing_can_be_written_outside_the_scratch_folders(hostile):
    mounts = {name for name in eval(hostile["writable"]) if not name.startswith(("/dev/", "/proc"))}
    sockets = {name for name in mounts if re.search(r"/course-kernel-[^/]+/sockets$", name)}
    # One that was forked cannot write there once its sockets are made.
    assert (mounts - sockets, len(sockets)) == ({"/tmp", "/home/student"}, 0 if hostile["forked"] else 1)
    places = [name for name in hostile if name.startswith("write ")]
    assert len(places) == 9
    for name in places:
        assert hostile[name] in ("'OSError'", "'PermissionError'", "'FileNotFoundError'"), name


def test_what_is_too_much_is_an_error_that_the_kernel_survives(hostile):
    assert hostile["memory"] == "'MemoryError'"
    assert hostile["files"] == "'OSError'"
    assert hostile["big file"] == "'OSError'"
    assert hostile["disk"] == "'OSError'"
    assert hostile["shared memory"] == "'OSError'"
    assert hostile["threads"] == "'RuntimeError'"
