"""Kernels in a real sandbox: what honest work needs is there, and nothing that hostile code does reaches outside."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import nbclient
import nbformat
import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from nbformat.v4 import new_code_cell, new_notebook
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.grading import runner
from course_utils.grading.runner import Settings, execute
from course_utils.grading.sandbox import bubblewrap, cgroups, kernelspec, machine, seccomp, warm
from course_utils.grading.sandbox.settings import Limits, Sandbox, SandboxError

pytestmark = pytest.mark.skipif(
    not shutil.which("bwrap"), reason="bubblewrap is not installed (apt-get install bubblewrap)"
)

MB = 2**20
REPO = Path(__file__).resolve().parents[1]


def run(*sources: str, sandbox: Sandbox | None = None, **settings):
    """The texts that the cells show, errors by their name and value, and how the run ended."""
    text = nbformat.writes(new_notebook(cells=[new_code_cell(textwrap.dedent(source)) for source in sources]))
    executed, outcome = execute(text, Settings(sandbox=sandbox or Sandbox(), **settings))
    return [shown(cell.outputs) for cell in nbformat.reads(executed, as_version=4).cells], outcome


def shown(outputs: list) -> str:
    return "".join(o.get("text") or o.get("data", {}).get("text/plain") or f"{o.ename}: {o.evalue}" for o in outputs)


def limited(forked: bool = True, **limits: int) -> Sandbox:
    return Sandbox(Limits(**limits), warm=forked)


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
    cells = ["import glob, os, socket, ctypes, threading, time\nlibc = ctypes.CDLL(None, use_errno=True)\n" + TRY]
    cells += [f"tried(lambda: ({question}))" for question in questions.values()]
    texts, outcome = run(*cells, "print('alive')", sandbox=limited(request.param, disk=400 * MB))
    os.environ.pop("COURSE_TEST_KEY")
    assert (outcome.status, texts[-1]) == ("ok", "alive\n")
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
    assert (mounts - sockets, len(sockets)) == ({"/tmp", "/home/student"}, 1)
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


@pytest.fixture
def own_tmp(monkeypatch):
    """A folder for temporary files that nobody else uses, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def own_groups() -> list[Path]:
    """The control groups that this process has made and not removed."""
    place = cgroups.find_place()
    parents = set(place.parents.values()) if place else ()
    return [group for parent in parents for group in parent.glob(f"course-{os.getpid()}-*")]


@pytest.mark.parametrize("forked", [False, True], ids=["started", "forked"])
def test_an_honest_notebook_has_what_it_needs_and_leaves_nothing_behind(own_tmp, forked):
    (own_tmp / "data").mkdir(mode=0o755)
    (own_tmp / "data" / "ratings").write_text("3 stars")
    cells = [
        "import torch, course_utils\nfloat(torch.ones(3) @ torch.ones(3))",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "import asyncio\nawait asyncio.sleep(0.01, 'waited')",
        "from IPython.display import HTML\nHTML('<b>bold</b>')",
        "!echo from a shell",
        "open('kept.txt', 'w').write('mine')\nopen('kept.txt').read()",
        "import os\nos.environ['COURSE_DATASET'], open('/data/ratings').read()",
        "open('/data/ratings', 'a')",  # read-only, and somebody else's
    ]
    text = nbformat.writes(new_notebook(cells=[new_code_cell(cell) for cell in cells]))
    sandbox = Sandbox(binds={str(own_tmp / "data"): "/data"}, warm=forked)
    executed, outcome = execute(text, Settings(sandbox=sandbox, environment={"COURSE_DATASET": "synthetic"}))
    assert outcome.status == "ok"
    outputs = [cell.outputs for cell in nbformat.reads(executed, as_version=4).cells]
    assert outputs[0][-1].data["text/plain"] == "3.0"
    assert "image/png" in outputs[1][-1].data
    assert outputs[2][-1].data["text/plain"] == "'waited'"
    assert outputs[3][-1].data["text/html"] == "<b>bold</b>"
    assert outputs[4][-1].text.strip() == "from a shell"
    assert outputs[5][-1].data["text/plain"] == "'mine'"
    assert outputs[6][-1].data["text/plain"] == "('synthetic', '3 stars')"
    assert outputs[7][-1].ename in ("OSError", "PermissionError")
    assert [path.name for path in own_tmp.iterdir()] == ["data"]
    assert own_groups() == []


@pytest.mark.parametrize("forked", [False, True], ids=["started", "forked"])
def test_a_cell_that_runs_too_long_is_interrupted_and_the_next_one_runs(forked):
    cells = ("while True: pass", "import subprocess\nsubprocess.run(['sleep', '60'])", "7")
    texts, outcome = run(*cells, sandbox=limited(forked), cell_timeout=1)
    assert (outcome.status, texts[-1]) == ("ok", "7")
    assert texts[0].endswith("CellTimeoutError: interrupted after 1 s")
    assert "KeyboardInterrupt" in texts[1]


FORKS = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        mine = bytearray(100 * 2**20)
        for place in range(0, len(mine), 4096):
            mine[place] = 1
        time.sleep(20)
"""
SHARED = """
import mmap
shared = mmap.mmap(-1, 2**30)
for place in range(0, len(shared), 4096):
    shared[place] = 1
"""
STRAY = """
import glob, time
open(glob.glob('/tmp/*/course-kernel*/sockets')[0] + '/x', 'w')
time.sleep(60)
"""
DEATHS = {
    "signal": ("import os; os.kill(os.getpid(), 9)", {}, "error", "the kernel died of signal SIGKILL"),
    "crash": ("import ctypes; ctypes.string_at(0)", {}, "error", "the kernel died of signal SIGSEGV"),
    "exit": ("import os; os._exit(0)", {}, "error", "the kernel ended before the notebook did"),
    "computing": ("while True: pass", {"cpu_seconds": 3}, "timeout", "the kernel computed for more than 3 s"),
    "clock": ("import time; time.sleep(60)", {"wall_seconds": 4}, "timeout", "the kernel was stopped after 4 s"),
    "memory": (SHARED, {"total_memory": 500 * MB}, "memory", "the notebook needed more than 0.488 GB of memory"),
    "stray file": (STRAY, {}, "error", "the kernel was stopped because it wrote files beside its own sockets"),
}


@pytest.mark.parametrize(("cell", "limits", "status", "message"), DEATHS.values(), ids=DEATHS)
def test_a_kernel_that_dies_is_reported_with_its_cause(own_tmp, cell, limits, status, message):
    texts, outcome = run("'before'", cell, "'after'", sandbox=limited(**limits))
    assert (outcome.status, outcome.reached, texts) == (status, 1, ["'before'", "", ""])
    assert outcome.message.startswith(message)
    assert list(own_tmp.iterdir()) == []
    assert own_groups() == []


def test_a_kernel_that_is_started_on_its_own_is_reported_with_its_cause_too():
    _, outcome = run("'before'", "import os; os.kill(os.getpid(), 9)", sandbox=limited(forked=False))
    assert (outcome.status, outcome.reached, outcome.message) == ("error", 1, "the kernel died of signal SIGKILL")


def test_kernels_are_started_on_their_own_where_none_can_be_forked(monkeypatch, tmp_path):
    monkeypatch.setattr(warm, "the_parent", None)
    monkeypatch.setattr(warm, "PROGRAM", tmp_path / "missing.py")
    assert run("6 * 7", sandbox=limited())[0] == ["42"]
    assert run("6 * 7", sandbox=limited())[0] == ["42"]


def test_a_warm_parent_that_was_killed_is_replaced():
    run("1", sandbox=limited())
    warm.the_parent.process.kill()
    warm.the_parent.process.wait()
    assert run("import sys\n'torch' in sys.modules", sandbox=limited())[0] == ["True"]


def test_a_kernel_has_nothing_of_the_one_before():
    first = """
        import builtins, os, numpy, random, torch
        torch.ones = builtins.sum = None
        open('left', 'w'), open('/tmp/left', 'w'), open('/dev/shm/left', 'w')
        os.environ['LEFT'] = 'x'
        print(random.random(), numpy.random.rand())
    """
    second = """
        import builtins, os, numpy, random, torch
        print([torch.ones(1), sum([1])], 'left' in os.listdir(), 'LEFT' in os.environ)
        print(os.listdir('/dev/shm'), len(os.listdir('/tmp')))
        print(random.random(), numpy.random.rand())
    """
    earlier = run(first, sandbox=limited())[0][0]
    texts, outcome = run(second, sandbox=limited())
    *seen, numbers = texts[0].splitlines()
    assert (outcome.status, seen) == ("ok", ["[tensor([1.]), 1] False False", "[] 1"])  # 1: the way to its sockets
    assert not set(numbers.split()) & set(earlier.split())


def test_memory_of_all_processes_counts_together():
    texts, outcome = run(FORKS + "os.wait()[1]", sandbox=limited(total_memory=500 * MB))
    # A control group kills one of the processes, by signal 9; where there is none, all of them are killed.
    assert outcome.status == "memory" or texts == ["9"]


def test_a_fork_bomb_ends_with_its_kernel():
    bomb = """
        import os
        try:
            while True:
                if os.fork() == 0:
                    while True:
                        try:
                            os.fork()
                        except OSError:
                            pass
        except OSError as problem:
            print(type(problem).__name__)
    """
    texts, outcome = run(bomb, "'alive'", sandbox=limited(forked=False, processes=40))
    assert (outcome.status, texts) == ("ok", ["BlockingIOError\n", "'alive'"])
    assert own_groups() == []  # a group with processes cannot be removed


def test_nothing_that_a_kernel_started_outlives_it():
    mark = f"3{os.getpid()}.25"  # as seconds of sleep, a name to find the process by
    daemon = f"""
        import os, subprocess
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                subprocess.run(["sleep", "{mark}"])
            os._exit(0)
        os.wait()[1]
    """
    assert sleeping(mark) == 0
    texts, outcome = run(daemon, f"import time; time.sleep(1)\n!pgrep -fc 'sleep {mark}'")
    assert (outcome.status, texts[0]) == ("ok", "0")
    assert sleeping(mark) == 0


def sleeping(mark: str) -> int:
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(path.read_bytes())
    return sum(command == f"sleep\0{mark}\0".encode() for command in commands)


GRADER = """
import sys, tempfile, nbformat
from nbformat.v4 import new_code_cell, new_notebook
from course_utils.grading.runner import Settings, execute
from course_utils.grading.sandbox.settings import Limits, Sandbox
tempfile.tempdir, warm = sys.argv[1], sys.argv[2] == "forked"
notebook = new_notebook(cells=[new_code_cell(cell) for cell in sys.argv[3:]])
sandbox = Sandbox(Limits(total_memory=600 * 2**20), warm=warm)
executed, outcome = execute(nbformat.writes(notebook), Settings(sandbox=sandbox))
print(outcome)
print([o.get("text") or o.data["text/plain"] for c in nbformat.reads(executed, as_version=4).cells for o in c.outputs])
"""


def test_a_grader_that_is_killed_takes_its_kernel_with_it_and_the_next_one_tidies_up(own_tmp):
    mark = f"4{os.getpid()}.25"
    grader = subprocess.Popen([sys.executable, "-c", GRADER, str(own_tmp), "forked", f"!sleep {mark}"])
    deadline = time.monotonic() + 90
    while not sleeping(mark):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    grader.kill()
    grader.wait()
    while sleeping(mark):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    place = cgroups.find_place()
    parents = set(place.parents.values()) if place else ()
    while list(own_tmp.iterdir()) or any(list(parent.glob(f"course-{grader.pid}-*")) for parent in parents):
        assert time.monotonic() < deadline
        for left in own_tmp.glob("course-kernel-*"):
            os.utime(left, (0, 0))  # one that was made just now is left alone
        run("1")


def as_nobody(*command: str) -> list[str]:
    """The command as an ordinary user, who can read this Python and this checkout, wherever they lie."""
    binds = dict.fromkeys(
        p for name in (sys.prefix, sys.base_prefix, REPO) for p in (str(name), os.path.realpath(name))
    )
    words = ["bwrap", "--dev-bind", "/", "/", "--perms", "0755", "--tmpfs", "/root"]
    for path in binds:
        for above in reversed(Path(path).parents[:-1]):
            words += ["--perms", "0755", "--dir", str(above)]
        words += ["--ro-bind", path, path]
    return [
        *words,
        "--cap-add",
        "ALL",
        "--",
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        "--",
        *command,
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("kind", ["started", "forked"])
def test_an_ordinary_user_gets_a_sandbox_too(own_tmp, kind):
    own_tmp.chmod(0o777)
    threads = """
import threading, time
try:
    for n in range(300):
        threading.Thread(target=time.sleep, args=(2,)).start()
except RuntimeError:
    print("enough")
"""
    hog = """
time.sleep(3)
hog = bytearray(700 * 2**20)
for place in range(0, len(hog), 4096):
    hog[place] = 1
time.sleep(5)
"""
    look = "import os; os.getuid(), os.path.exists('/root/.ssh'), 'NoNewPrivs:\\t1' in open('/proc/self/status').read()"
    cells = [look, "import socket; [name for _, name in socket.if_nameindex()]", threads, hog]
    environment = {**os.environ, "HOME": str(own_tmp), "PYTHONPATH": str(REPO)}
    command = as_nobody(sys.executable, "-c", GRADER, str(own_tmp), kind, *cells)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    outcome, texts = done.stdout.splitlines()
    assert texts == str(["(65534, False, True)", "['lo']", "enough\n"])
    assert "status='memory', message='the notebook needed more than 0.586 GB of memory', reached=3" in outcome


def test_folders_to_hide_are_empty_inside_and_unreadable_ones_are_refused(own_tmp):
    (own_tmp / "data" / "answers").mkdir(parents=True)
    (own_tmp / "data" / "answers" / "secret").write_text("x")
    sandbox = Sandbox(binds={str(own_tmp / "data"): str(own_tmp / "data")}, hidden=(str(own_tmp / "data" / "answers"),))
    texts, _ = run(
        f"import os; [os.listdir({str(own_tmp)!r} + name) for name in ('/data', '/data/answers')]", sandbox=sandbox
    )
    assert texts == ["[['answers'], []]"]
    with pytest.raises(SandboxError, match=r"nowhere does not exist"):
        machine.check_readable({str(own_tmp / "nowhere"): "/data"}, 1)
    (own_tmp / "data" / "answers" / "secret").chmod(0o600)
    with pytest.raises(SandboxError, match=r"data/answers/secret can be read by its owner alone"):
        machine.check_readable({str(own_tmp / "data"): "/data"}, os.geteuid() + 1)


def test_the_kernel_can_be_used_by_its_name(own_tmp, monkeypatch):
    provisioners = KernelProvisionerFactory.instance().provisioners
    value = "course_utils.grading.sandbox.provisioner:SandboxProvisioner"
    monkeypatch.setitem(provisioners, kernelspec.NAME, EntryPoint(kernelspec.NAME, value, kernelspec.GROUP))
    monkeypatch.setattr(kernelspec, "entry_points", lambda group: SimpleNamespace(names={kernelspec.NAME}))
    folder = kernelspec.install(own_tmp / "prefix")
    monkeypatch.setenv("JUPYTER_PATH", str(folder.parents[1]))
    notebook = new_notebook(
        cells=[new_code_cell("import os; [n for n in os.listdir('/home')], 'JUPYTER_PATH' in os.environ")]
    )
    nbclient.NotebookClient(notebook, kernel_name="course-sandbox", timeout=60).execute()
    assert notebook.cells[0].outputs[0].data["text/plain"] == "(['student'], False)"
    assert [path.name for path in own_tmp.iterdir()] == ["prefix"]


def test_a_machine_without_a_sandbox_is_told_in_one_line_what_helps(monkeypatch, tmp_path):
    machine.check.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["sandbox"])
    assert isinstance(result.exception, SandboxError)
    assert "apt-get install bubblewrap" in str(result.exception)
    monkeypatch.undo()
    switch = tmp_path / "apparmor"
    switch.write_text("1\n")
    monkeypatch.setattr(machine, "APPARMOR", switch)
    monkeypatch.setattr(machine, "SWITCHES", {switch: ("1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0")})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    line = machine.explain("bwrap: setting up uid map: Permission denied\n")
    assert line.startswith(
        "AppArmor keeps bubblewrap from making a sandbox (bwrap: setting up uid map: Permission denied)"
    )
    assert "\n" not in line


def test_the_machine_is_described_subject_by_subject():
    result = CliRunner().invoke(app, ["sandbox"])
    assert result.exit_code == 0
    assert result.output.splitlines()[0].split() == ["bubblewrap", bubblewrap.version()]
    assert "3 GB a process; 4 GB in all" in result.output


def control_group(folder: Path, hands_on: str, limit: str = "max") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").write_text("")
    (folder / "cgroup.subtree_control").write_text(hands_on)
    (folder / "memory.max").write_text(limit)


def proc_of(folder: Path, cgroup: str, mounts: str) -> Path:
    folder.mkdir()
    (folder / "cgroup").write_text(cgroup)
    (folder / "mounts").write_text(mounts)
    return folder


def test_the_nearest_group_that_hands_on_limits_is_used(tmp_path):
    control_group(tmp_path / "cg" / "user", "cpu memory pids\n")
    control_group(tmp_path / "cg" / "user" / "app", "memory pids\n")
    control_group(tmp_path / "cg" / "user" / "app" / "shell", "\n")
    proc = proc_of(tmp_path / "proc", "0::/user/app/shell\n", f"cgroup2 {tmp_path}/cg cgroup2 rw 0 0\n")
    place = cgroups.find_place(proc)
    assert (place.version, set(place.parents.values())) == (2, {tmp_path / "cg" / "user" / "app"})
    group = cgroups.Group(place, Limits(total_memory=5, processes=6))
    (folder,) = set(group.folders.values())
    assert ((folder / "memory.max").read_text(), (folder / "pids.max").read_text()) == ("5", "12")
    assert not group.out_of_memory()
    (folder / "memory.events").write_text("oom 3\noom_kill 1\n")
    assert group.out_of_memory()


def test_a_group_above_a_limit_is_left_alone(tmp_path):
    control_group(tmp_path / "cg" / "job", "memory pids\n")
    control_group(tmp_path / "cg" / "job" / "step", "\n", limit="8589934592")
    proc = proc_of(tmp_path / "proc", "0::/job/step\n", f"cgroup2 {tmp_path}/cg cgroup2 rw 0 0\n")
    assert cgroups.find_place(proc) is None


def test_the_filter_of_system_calls_is_made_only_for_processors_that_it_knows(monkeypatch):
    assert len(seccomp.program()) % 8 == 0
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    assert seccomp.program() is None


def test_output_is_bounded_whatever_the_kernel_sends(monkeypatch):
    monkeypatch.setattr(runner, "MAX_CELL_BYTES", 10_000)
    update = """
        from IPython.display import display
        shown = display('a', display_id='one')
        for n in range(50):
            shown.update('y' * 1000)
    """
    forged = """
        kernel = get_ipython().kernel
        for n in range(50):
            content = {"data": {"text/plain": "z" * 1000}, "metadata": {}, "execution_count": "x" * 1000}
            kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=kernel.get_parent())
    """
    cells = [new_code_cell(textwrap.dedent(source)) for source in (update, forged, "1")]
    executed, outcome = execute(nbformat.writes(new_notebook(cells=cells)), Settings(sandbox=Sandbox()))
    assert outcome.status == "ok"
    assert len(executed) < 35_000
