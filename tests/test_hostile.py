"""A hostile class, graded in one run by the real grader in real sandboxes: nobody gets more than the work deserves,
nobody sees what is not theirs, nothing outside is touched, and the honest among them get their full marks.

What each tries, and the mark that it must get, stands in submissions/hostile/ (patches of cells) and in hostile_files.
"""

import multiprocessing.resource_tracker
import os
import re
import secrets
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import hostile_files
import nbformat
import numpy as np
import psutil
import pytest
import toy_course
from graders import workers_of
from toy_course import LESSON, answered, hand_in, read_csv

from course_utils.grading import grade as grading
from course_utils.grading.build import release_notebooks
from course_utils.grading.course import find_course
from course_utils.grading.grade import Plan, grade
from course_utils.grading.patches import apply_patch, expected_marks, read_patches
from course_utils.grading.report import refresh
from course_utils.grading.runfolder import RunFolder
from course_utils.grading.sandbox.guard import memory_of
from course_utils.grading.stage import read_source
from course_utils.grading.worlds import Examiner, derived, exam_of

pytestmark = pytest.mark.skipif(
    not shutil.which("bwrap"), reason="bubblewrap is not installed (apt-get install bubblewrap)"
)

HOSTILE = Path(__file__).parent / "submissions" / "hostile"
REPO = Path(__file__).resolve().parents[1]
MB = 2**20
JOBS = 2
LIMITS = {"memory": 1000 * MB, "total_memory": 900 * MB, "disk": 64 * MB, "file_size": 200 * MB, "processes": 60}
PATCHES = {patch.name: patch for patch in read_patches(HOSTILE / LESSON)}
REAL_LESSON = "01_explicit_mf"
REAL_COURSE = find_course(REPO)
REAL_PATCHES = {patch.name: patch for patch in read_patches(HOSTILE / REAL_LESSON)}
CASES = [*PATCHES, *hostile_files.MADE]


@dataclass
class Machine:
    """What a test watches while a class is graded, and what submissions are told, as if they had found it out."""

    folder: Path
    listeners: dict[str, socket.socket] = field(default_factory=dict)
    canaries: dict[str, str] = field(default_factory=dict)
    targets: dict[str, object] = field(default_factory=dict)
    grader_memory: int = 0
    memory: int = 0
    least_free: int = 2**62
    free_before: int = 0

    def look(self) -> None:
        """Memory of the grader's own processes (the most that each ever had) and of all, and room on the disk."""
        workers = workers_of(os.getpid())
        lines = [line for pid in workers for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        peaks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]
        self.grader_memory = max(self.grader_memory, *peaks, 0)
        self.memory = max(self.memory, memory_of(workers))
        self.least_free = min(self.least_free, shutil.disk_usage(self.targets["tmp"]).free)


@dataclass
class Graded:
    """The class after its run."""

    rows: dict[tuple[str, str], dict]
    run: RunFolder
    machine: Machine
    processes: list[str]
    left: list[str]


@pytest.fixture(scope="module")
def machine(tmp_path_factory, course) -> Iterator[Machine]:
    """Listeners, secrets and places to write to, all known to the class."""
    folder = tmp_path_factory.mktemp("hostile")
    own_tmp = Path(tempfile.mkdtemp(prefix="t-"))  # a path short enough for sockets
    own_tmp.chmod(0o755)
    machine = Machine(folder)
    for name in ("secret_of_another", "variable", "row", "key"):
        machine.canaries[name] = f"CANARY-{secrets.token_hex(8)}"
    for name, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
        machine.listeners[name] = socket.socket(type=kind)
        machine.listeners[name].bind(("127.0.0.1", 0))
    for name, path in (("unix", str(own_tmp / "unix")), ("abstract", f"\0{folder}")):
        machine.listeners[name] = socket.socket(socket.AF_UNIX)
        machine.listeners[name].bind(path)
    for name, listener in machine.listeners.items():
        listener.setblocking(False)
        if name != "udp":
            listener.listen()
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(machine.canaries["key"])
    with sqlite3.connect(folder / "gradebook.db") as earlier:
        earlier.execute("CREATE TABLE grade (comment TEXT)")
        earlier.execute("INSERT INTO grade VALUES (?)", [machine.canaries["row"]])
    out, submitted = folder / "graded", folder / "submitted"
    site = next(path for path in map(Path, __import__("site").getsitepackages()) if path.is_dir())
    places = ["/", "/tmp", "/var/tmp", "/etc", "/usr", "/usr/local/bin", "/dev", "/dev/shm", "/run", "/root", "/home"]
    places += [str(path) for path in (own_tmp, folder, out, submitted, home, course.root, REPO, site, Path.home())]
    places += [str(submitted / "honest_right" / LESSON), str(out / "feedback"), "/course", "/course/course_utils"]
    machine.targets = {
        "tcp": machine.listeners["tcp"].getsockname(),
        "udp": machine.listeners["udp"].getsockname(),
        "unix": [str(own_tmp / "unix"), f"\0{folder}"],
        "out": str(out),
        "submitted": str(submitted),
        "gradebook": str(folder / "gradebook.db"),
        "home": str(home),
        "course": str(course.root),
        "checkout": str(REPO),
        "variable": "HOSTILE_TEST_PASSWORD",
        "grader": os.getpid(),
        "others": [os.getppid()],
        "folders": places,
        "mark": f"owned-{secrets.token_hex(4)}",
        "sleep": f"3{os.getpid()}.75",
        "tmp": str(own_tmp),
    }
    yield machine
    for listener in machine.listeners.values():
        listener.close()
    shutil.rmtree(own_tmp)


def hand_in_the_class(submitted: Path, course, student_edition, machine: Machine) -> None:
    """Every case, and one whose work holds a secret."""
    reference = read_source(course.lesson(LESSON))
    for name, patch in PATCHES.items():
        told = {key: value.replace("TARGETS", f"({machine.targets!r})") for key, value in patch.sources.items()}
        hand_in(submitted, name, apply_patch(replace(patch, sources=told), student_edition, reference))
    right = answered(student_edition, double=toy_course.DOUBLE, why="It does.")
    for name in hostile_files.MADE:
        hostile_files.make(submitted, name, right)
    secret = f"{toy_course.DOUBLE}  # {machine.canaries['secret_of_another']}"
    hand_in(submitted, "victim", answered(student_edition, double=secret, why="My very own answer."))


@pytest.fixture(scope="module")
def graded(course, student_edition, machine) -> Iterator[Graded]:
    """The hostile class, graded once."""
    submitted, out = machine.folder / "submitted", machine.folder / "graded"
    hand_in_the_class(submitted, course, student_edition, machine)
    settings_of = grading.settings_of

    def short_of_everything(*arguments):
        settings = settings_of(*arguments)
        checks = {str(course.root / "site-packages" / "toy_checks.py"): "/course/toy_checks.py"}
        limits = replace(settings.sandbox.limits, **LIMITS)
        return replace(settings, sandbox=replace(settings.sandbox, binds=checks, limits=limits))

    over = threading.Event()

    def watch():
        while not over.wait(0.5):
            try:
                machine.look()
            except (OSError, psutil.Error):
                continue

    multiprocessing.resource_tracker.ensure_running()  # it stays
    before = set(psutil.Process().children(recursive=True))
    watcher = threading.Thread(target=watch, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "settings_of", short_of_everything)
        patch.setenv(machine.targets["variable"], machine.canaries["variable"])
        patch.setenv("TMPDIR", machine.targets["tmp"])
        patch.setattr(tempfile, "tempdir", machine.targets["tmp"])
        machine.free_before = shutil.disk_usage(machine.targets["tmp"]).free
        watcher.start()
        plan = Plan(submitted, out, "synthetic", jobs=JOBS, timeout=20, notebook_timeout=120, sandboxed=True)
        run = grade(course, plan)
        refresh(run)
        over.set()
        watcher.join()
        left = sorted(set(os.listdir(machine.targets["tmp"])) - {"unix"})
    deadline = time.monotonic() + 10
    while (running := processes_left(before, machine)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return Graded(read_csv(out), run, machine, running, left)


def processes_left(before: set[psutil.Process], machine: Machine) -> list[str]:
    """What runs that the class has started: below this process, or under the name that its daemons have."""
    found = [str(process) for process in set(psutil.Process().children(recursive=True)) - before]
    for process in psutil.process_iter(["cmdline"]):
        if machine.targets["sleep"] in (process.info["cmdline"] or []):
            found.append(str(process))
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_mark_is_what_the_work_deserves(graded, student_edition, name):
    marks = hostile_files.MADE[name].marks if name not in PATCHES else expected_marks(PATCHES[name], student_edition)
    for exercise, mark in marks.items():
        row = graded.rows[name, exercise]
        assert (float(row["score"]), row["status"]) == (mark.points, mark.status), row
        assert all(words in row["message"] for words in mark.words), row


def test_every_case_says_what_it_tries():
    assert len(CASES) >= 40
    assert all(len(patch.description) > 20 for patch in PATCHES.values())
    assert all(len(files.make.__doc__) > 10 for files in hostile_files.MADE.values())


def test_nobody_was_stopped_by_the_others(graded):
    students = {student for student, _ in graded.rows}
    assert students == {*CASES, "victim"}
    assert graded.rows["victim", "00-1-double"]["score"] == "2"
    assert len(graded.rows) == 3 * len(students)


def test_nobody_was_reached_by_network(graded):
    for name in ("tcp", "unix", "abstract"):
        with pytest.raises(BlockingIOError):
            graded.machine.listeners[name].accept()
    with pytest.raises(BlockingIOError):
        graded.machine.listeners["udp"].recv(1)


def test_nothing_was_written_outside(graded):
    targets = graded.machine.targets
    for folder in targets["folders"]:
        assert not os.path.lexists(os.path.join(folder, targets["mark"])), folder
    assert not Path("/tmp/owned").exists()
    assert not list((REPO / "course_utils").rglob("sitecustomize.py"))
    assert graded.left == []


def test_no_process_goes_on(graded):
    assert graded.processes == []


def test_memory_and_disk_stay_within_the_limits(graded):
    machine = graded.machine
    assert machine.grader_memory < 1000 * MB
    assert machine.memory < JOBS * (LIMITS["total_memory"] + 800 * MB)
    assert machine.free_before - machine.least_free < 500 * MB  # others use the disk, too
    size = sum(path.stat().st_size for path in graded.run.path.rglob("*") if path.is_file())
    assert size < 200 * MB


def test_no_secret_got_into_anybodys_hands(graded):
    allowed = {"secret_of_another": "victim"}
    for path in [path for path in graded.run.path.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        for name, canary in graded.machine.canaries.items():
            if canary.encode() in data:
                assert allowed.get(name) in path.parts, f"{name} in {path}"


class Attributes(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self):
        super().__init__()
        self.tags: set[str] = set()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.found += [(name, value or "") for name, value in attributes]


def pages(run: RunFolder) -> list[Path]:
    """What is read in a browser."""
    return [run.path / "report.html", *sorted(run.path.glob("feedback/*/*/*.html"))]


def scripts_of(text: str) -> set[str]:
    return set(re.findall(r"<script.*?</script>|<script[^>]*>", text, re.DOTALL | re.IGNORECASE))


def test_nothing_of_a_student_can_run_in_a_page(graded):
    ours = scripts_of((graded.run.path / "feedback" / "victim" / LESSON / f"{LESSON}.html").read_text())
    assert ours
    for page in pages(graded.run):
        text = page.read_text(encoding="utf-8")
        assert scripts_of(text) <= ours, page
        parser = Attributes()
        parser.feed(text)
        assert not [name for name, _ in parser.found if name.startswith("on")], page
        addresses = [value.strip().lower() for name, value in parser.found if name in ("href", "src", "action", "data")]
        assert not [address for address in addresses if address.startswith(("javascript:", "data:text", "vbscript:"))]
        assert not parser.tags & {"iframe", "object", "embed", "form", "base"}, page


def test_nothing_of_the_grader_or_its_secrets_is_in_what_students_and_tables_show(graded, course):
    folders = [str(graded.machine.folder), graded.machine.targets["tmp"]]
    check_for_leaks(graded.run, course, LESSON, folders, told=set(CASES))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> RunFolder:
    """Attacks on a real lesson, whose ladder is judged by held-out ratings."""
    folder = tmp_path_factory.mktemp("trained")
    lesson = REAL_COURSE.lesson(REAL_LESSON)
    edition = release_notebooks(REAL_COURSE, [lesson])[lesson]
    for patch in REAL_PATCHES.values():
        path = folder / "submitted" / patch.name / REAL_LESSON / f"{REAL_LESSON}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(apply_patch(patch, edition, read_source(lesson)), path)
    plan = Plan(folder / "submitted", folder / "graded", "synthetic", [lesson], JOBS, timeout=60, sandboxed=True)
    run = grade(REAL_COURSE, plan)
    refresh(run)
    return run


@pytest.mark.parametrize("name", REAL_PATCHES)
def test_the_mark_on_a_real_lesson_is_what_the_work_deserves(trained, name):
    rows = read_csv(trained.path)
    for exercise, mark in REAL_PATCHES[name].expectations.items():
        row = rows[name, exercise]
        assert (float(row["score"]), row["status"]) == (mark.points, mark.status), row
        assert all(words in row["message"] for words in mark.words), row


def test_nothing_of_a_real_lessons_secrets_is_in_what_students_and_tables_show(trained):
    folders = [str(trained.path.parent), str(REPO / "solutions")]
    check_for_leaks(trained, REAL_COURSE, REAL_LESSON, folders)


def check_for_leaks(run: RunFolder, course, lesson: str, folders: list[str], told: set[str] = frozenset()) -> None:
    """Fail if a page or table holds a seed, a folder of the grader's, or a row of numbers of a secret.

    A message may show what was expected: at most six numbers of it. `told`: who knows the folders from the test.
    """
    seed = run.manifest["world_seed"]
    ours = Examiner(exam_of(read_source(course.lesson(lesson)), run.manifest["dataset"], seed))
    purposes = [f"{what} of {check.key}" for what in ("world", "probe") for check in ours.checks.values()]
    seeds = {str(seed), *(str(derived(seed, purpose)) for purpose in (*purposes, "data set", "edition"))}
    values = [np.asarray(value) for world in ours.worlds.values() for value in world.secret.values()]
    hidden = [numbers.astype(float).ravel()[:2000] for numbers in values if numbers.dtype.kind in "biuf"]
    for path in [*pages(run), run.path / "grades.csv", run.path / "gradebook.db"]:
        text = STYLES.sub("", path.read_bytes().decode("utf-8", "replace"))
        assert not [one for one in seeds if one in text], path
        if path.suffix == ".html" and not (told and (path.name == "report.html" or path.parts[-3] in told)):
            assert not [one for one in folders if one in text], path
        shown = [float(number) for number in NUMBER.findall(text)]
        # Fourteen whole numbers: fewer occur in a row by chance, such as stars.
        for n, rows in ((7, [row for row in hidden if (row % 1).any()]), (14, hidden)):
            assert not {one for row in rows for one in windows(row, n)} & set(windows(shown, n)), path


def windows(numbers, n: int) -> list[tuple[str, ...]]:
    """All n neighbours, as they are written, but for those that are nearly all alike."""
    written = [f"{number:.3f}" for number in numbers]
    rows = [tuple(written[at : at + n]) for at in range(len(written) - n + 1)]
    return [row for row in rows if len(set(row)) > 2]


STYLES = re.compile(r"<style.*?</style>|data:image/[^\"]*", re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d\d)?\b")
