"""Kernels in a real sandbox: honest work has what it needs, and whatever ends a kernel is said."""

import textwrap

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from sandboxes import MB, limited, needs_bubblewrap, own_groups, run

from course_utils.grading.sandbox import warm
from course_utils.grading.sandbox.settings import Sandbox
from course_utils.running import clients
from course_utils.running.runner import Settings, execute

pytestmark = needs_bubblewrap


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
    "stray file": (STRAY, {"forked": False}, "error", "the kernel was stopped because it wrote files beside its own"),
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


def test_output_is_bounded_whatever_the_kernel_sends(monkeypatch):
    monkeypatch.setattr(clients, "MAX_CELL_BYTES", 10_000)
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
