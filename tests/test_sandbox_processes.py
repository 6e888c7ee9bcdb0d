"""Processes around a sandbox: none outlives its kernel or its grader, whoever runs them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sandboxes import REPO, needs_bubblewrap, run, sleeping

from course_utils.grading.sandbox import cgroups

pytestmark = needs_bubblewrap


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


GRADER = """
import sys, tempfile, nbformat
from nbformat.v4 import new_code_cell, new_notebook
from course_utils.running.runner import Settings, execute
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
