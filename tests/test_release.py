"""What students get: the real zip, looked into, and installed where this checkout cannot be seen."""

import base64
import csv
import hashlib
import io
import os
import re
import site
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
import yaml
from corpus import submissions
from toy_course import make_course

from course_utils.cli import FOR_TEACHERS, app
from course_utils.errors import CourseError
from course_utils.grading.build import build, student_files
from course_utils.grading.course import find_course
from course_utils.grading.patches import apply_patch, expected_marks
from course_utils.grading.release import FOLDER, release
from course_utils.grading.stage import read_source
from course_utils.grading.student_wheel import ROOMS_OF_TEACHERS, fingerprint

COURSE = find_course(Path(__file__).parent)
FIRST = COURSE.lessons[0]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """The zip of all lessons."""
    path = tmp_path_factory.mktemp("release") / "course.zip"
    release(COURSE, COURSE.lessons, path)
    return path


@pytest.fixture(scope="module")
def content(bundle) -> dict[str, bytes]:
    """Name below the zip's one folder to content."""
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        return {name.removeprefix(f"{FOLDER}/"): archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(content) -> zipfile.ZipFile:
    (data,) = [data for name, data in content.items() if name.endswith(".whl")]
    return zipfile.ZipFile(io.BytesIO(data))


@dataclass(frozen=True)
class Student:
    """Somebody who has unpacked the zip into `folder` and installed its wheel into a .venv there.

    The .venv has the packages of this Python besides, but not by way of their .pth files, as this checkout is
    installed. There is no network, no data set, and a terminal that has ASCII only.
    """

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"

    def __call__(self, *words: str, **variables: str) -> subprocess.CompletedProcess:
        """Run a command in the folder; its first word is found in the .venv, or else is a module there."""
        environment = {
            "PATH": os.pathsep.join([str(self.python.parent), os.defpath]),
            "HOME": str(self.folder.parent),
            "COURSE_DATASET": "synthetic",
            "COURSE_BUDGET": "fast",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "PYTHONIOENCODING": "ascii",
        }
        program = self.python.with_name(words[0])
        command = [program, *words[1:]] if program.exists() else [self.python, "-m", *words]
        return subprocess.run(
            command, cwd=self.folder, env=environment | variables, capture_output=True, text=True, timeout=300
        )


@pytest.fixture(scope="module")
def student(bundle, tmp_path_factory) -> Student:
    home = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(home)
    student = Student(home / FOLDER)
    venv.create(student.folder / ".venv")
    (own,) = student.folder.glob(".venv/lib/python*/site-packages")
    (own / "others.pth").write_text("\n".join(site.getsitepackages()))
    (wheel,) = student.folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", student.python]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    return student


@pytest.fixture(scope="module")
def answered(student) -> dict:
    """The first lesson with somebody's right answers, below its own name; what each exercise must get."""
    path = student.folder / "notebooks" / f"{FIRST.name}.ipynb"
    stubs, patch = nbformat.read(path, as_version=4), submissions(FIRST.name)["right_a"]
    nbformat.write(apply_patch(patch, stubs, read_source(FIRST)), path)
    return expected_marks(patch, stubs)


def test_the_zip_holds_one_folder_with_these_files_and_no_others(bundle, content):
    names = zipfile.ZipFile(bundle).namelist()
    assert all(name.startswith(f"{FOLDER}/") for name in names)
    assert names == sorted(names)
    (wheel,) = [name for name in content if name.endswith(".whl")]
    assert re.fullmatch(r"course_utils-[0-9.]+\+student\.[0-9a-f]{8}-py3-none-any\.whl", wheel)
    notebooks = {f"notebooks/{name}" for name in student_files(COURSE, COURSE.lessons)}
    assert {f"notebooks/{lesson.name}.{kind}" for lesson in COURSE.lessons for kind in ("ipynb", "py")} <= notebooks
    beside = {"README.md", "constraints.txt", "environment.yml", "requirements.txt", "nbgrader_config.py"}
    assert set(content) == {wheel} | beside | notebooks


def test_a_second_release_has_the_same_bytes_whoever_makes_it(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    before = os.umask(0o077)
    try:
        release(COURSE, COURSE.lessons, tmp_path / "again.zip")
    finally:
        os.umask(before)
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def hidden_lines(lesson) -> set[str]:
    """The lines of a lesson's answers that are long enough to be their own and stand nowhere else in its source."""
    source = lesson.source.read_text(encoding="utf-8")
    region = r"### BEGIN SOLUTION\n(.*?)### END SOLUTION"
    inside = "\n".join(re.findall(region, source, flags=re.DOTALL))
    outside = {line.strip() for line in re.sub(region, "", source, flags=re.DOTALL).splitlines()}
    return {line.strip() for line in inside.splitlines() if len(line.strip()) > 25} - outside


@pytest.mark.parametrize("lesson", COURSE.lessons, ids=lambda lesson: lesson.name)
def test_no_file_of_a_lesson_holds_a_line_of_its_answers(content, lesson):
    lines = hidden_lines(lesson)
    assert len(lines) > 10
    assert lines <= {line.strip() for cell in read_source(lesson).cells for line in cell.source.splitlines()}
    script = content[f"notebooks/{lesson.name}.py"].decode()
    cells = nbformat.reads(content[f"notebooks/{lesson.name}.ipynb"].decode(), as_version=4).cells
    for text in (script, "\n".join(cell.source for cell in cells)):
        assert not lines & {line.strip() for line in text.splitlines()}
        assert "SOLUTION ###" not in text
        assert "### BEGIN" not in text
    assert all(not cell.get("outputs") for cell in cells)


def test_the_wheel_lacks_the_rooms_of_teachers_and_every_way_into_them(wheel):
    names = wheel.namelist()
    assert "course_utils/running/selfcheck.py" in names
    for room in ROOMS_OF_TEACHERS:
        assert (COURSE.root / "course_utils" / room).is_dir()
        assert not [name for name in names if f"/{room}/" in name]
    (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    entry_points = wheel.read(f"{info}/entry_points.txt").decode()
    assert "course = course_utils.cli:main" in entry_points
    assert "grading" not in entry_points
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "Requires-Dist: torch" in metadata
    assert not re.search("dask|cryptography|sphinx|Provides-Extra", metadata)


def test_the_wheels_record_lists_every_file_with_its_hash(wheel):
    (record,) = [name for name in wheel.namelist() if name.endswith(".dist-info/RECORD")]
    rows = {name: digest for name, digest, _ in csv.reader(wheel.read(record).decode().splitlines())}
    assert set(rows) == set(wheel.namelist())
    for name in set(rows) - {record}:
        digest = base64.urlsafe_b64encode(hashlib.sha256(wheel.read(name)).digest()).rstrip(b"=").decode()
        assert rows[name] == f"sha256={digest}"


def test_the_version_changes_with_any_file_and_with_what_is_needed(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    first = fingerprint(tmp_path, {"needs": ["torch"]})
    assert re.fullmatch("[0-9a-f]{8}", first)
    assert fingerprint(tmp_path, {"needs": ["torch"]}) == first
    assert fingerprint(tmp_path, {"needs": ["numpy"]}) != first
    (tmp_path / "a.py").write_text("x = 2\n")
    assert fingerprint(tmp_path, {"needs": ["torch"]}) != first


def test_what_pip_and_conda_are_told_names_the_wheel_and_the_projects_own_python(content):
    (wheel,) = [name for name in content if name.endswith(".whl")]
    lines = ["-c constraints.txt", f"./{wheel}"]
    assert content["requirements.txt"].decode().splitlines()[1:] == lines
    given, ours = (
        yaml.safe_load(text) for text in (content["environment.yml"], (COURSE.root / "environment.yml").read_bytes())
    )
    assert given["dependencies"][-1] == {"pip": lines}
    assert given["name"] == ours["name"]
    (python,) = [entry for entry in ours["dependencies"] if str(entry).startswith("python=")]
    assert python in given["dependencies"]
    assert content["constraints.txt"] == (COURSE.root / "constraints.txt").read_bytes()


def test_the_readme_is_one_page_and_names_every_notebook_with_its_points(content):
    readme = content["README.md"].decode()
    assert len(readme.splitlines()) <= 80
    assert "| `00_ratings.ipynb` | 00 · Ratings: who rates what, and what makes a test fair | 16 | ml-100k |" in readme
    assert all(f"`{lesson.name}.ipynb`" in readme for lesson in COURSE.lessons)
    assert "but with `torch==2.13.0` in place of all that it installs" in readme
    assert "{{" not in readme


def test_chosen_lessons_come_alone(tmp_path):
    release(COURSE, COURSE.lessons[1:2], tmp_path / "second.zip")
    names = zipfile.ZipFile(tmp_path / "second.zip").namelist()
    name = COURSE.lessons[1].name
    lessons = [n for n in names if re.search(r"/notebooks/\d\d_", n)]
    assert lessons == [f"{FOLDER}/notebooks/{name}.{kind}" for kind in ("ipynb", "py")]
    readme = zipfile.ZipFile(tmp_path / "second.zip").read(f"{FOLDER}/README.md").decode()
    assert f"course check notebooks/{name}.ipynb" in readme
    assert FIRST.name not in readme


def test_a_notebook_out_of_step_is_refused_in_one_line_and_the_zip_that_was_there_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site-packages"))
    course = find_course(make_course(tmp_path))
    build(course)
    (notebook,) = course.notebooks.glob("*.ipynb")
    notebook.write_text(notebook.read_text().replace("raise NotImplementedError", "return 3  # raise"))
    out = tmp_path / "out.zip"
    out.write_text("last week's")
    with pytest.raises(CourseError) as refused:
        release(course, course.lessons, out)
    assert str(refused.value) == (
        f"notebooks/ is not in step with solutions/ ({notebook.name}); run `course build` first, which keeps what "
        "somebody has worked in"
    )
    assert out.read_text() == "last week's"


def test_the_installed_package_is_the_wheels_and_imports_whole_without_what_graders_need(student):
    code = f"""
import importlib, pkgutil, sys
from importlib.metadata import version
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("dask", "distributed", "cryptography", "tomli_w", "sphinx", "myst_nb"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
import course_utils
assert Path(course_utils.__file__).is_relative_to({str(student.folder)!r}), course_utils.__file__
assert "+student" in version("course-utils")
names = [m.name for m in pkgutil.walk_packages(course_utils.__path__, "course_utils.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
    imported = student("python", "-c", code)
    assert imported.returncode == 0, imported.stderr
    assert int(imported.stdout) > 90


def test_right_answers_get_all_points_offline_by_the_students_own_command(student, answered):
    checked = student("course", "check", f"notebooks/{FIRST.name}.ipynb")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    points = sum(mark.points for mark in answered.values())
    assert f"{points:g} of {points:g} points." in checked.stdout
    assert "stopped" not in checked.stdout


def test_pytest_runs_the_answers_as_one_test_an_exercise(student, answered):
    tested = student("pytest", "--submission", f"notebooks/{FIRST.name}.ipynb", "-q", "-p", "no:cacheprovider")
    assert f"{len(answered)} passed" in tested.stdout, tested.stdout + tested.stderr


@pytest.mark.parametrize("words", [("grade", "submitted", "--out", "x"), ("book",), ("build", "--check")])
def test_a_command_for_teachers_says_in_one_line_where_it_is(student, words):
    refused = student("course", *words)
    assert refused.returncode == 1
    wanted = f"`course {words[0]}` is for teachers: it comes with the course's repository only."
    assert (refused.stdout, refused.stderr.strip()) == ("", wanted)


def test_the_students_help_lists_the_students_commands_alone(student):
    listed = student("course", "--help").stdout
    ours = {command.name or command.callback.__name__ for command in app.registered_commands}
    of_students = ours - set(FOR_TEACHERS)
    assert set(FOR_TEACHERS) <= ours
    assert of_students == {"check", "data", "baselines"}
    shown = set(re.findall(r"^\W (\w+) ", listed.split("Commands")[1], flags=re.MULTILINE))
    assert shown == of_students


def test_without_a_network_and_files_the_way_out_is_said(student):
    refused = student("course", "data", "ml-100k", COURSE_DATASET="")
    assert refused.returncode == 1
    assert "COURSE_DATASET=synthetic" in refused.stderr
    assert "Traceback" not in refused.stderr
