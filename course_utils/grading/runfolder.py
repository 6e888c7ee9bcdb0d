"""The folder that `course grade` writes: what it was made with, and which submissions are finished.

run.json              data set, world seed, versions, and what became of each submission
grades.csv, report.html, gradebook.db, autograded/, feedback/
.work/results/        one record for each finished submission, written last: what has none is run again

Nothing in the folder is read to be changed, or written, but under its lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import platform
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import course_utils.checks
from course_utils.checks.verdict import Verdict
from course_utils.errors import CourseError
from course_utils.grading.course import Lesson, write_atomic
from course_utils.grading.stage import read_source
from course_utils.running.verdicts import exercise_of

FORMAT = 5
SETTINGS = {
    "dataset": "data set",
    "budget": "training budget",
    "isolation": "isolation",
    "lessons": "version of the lessons or checks",
}
"""What marks depend on: keys of run.json, and what to call them."""


@dataclass
class RunFolder:
    """One grading run's folder, opened by `open_run` or `find_run`.

    manifest  what run.json holds; its "round" is 1, and one more for each --regrade. A record of an earlier round stays
              until its submission has run again
    """

    path: Path
    manifest: dict

    @property
    def results(self) -> Path:
        return self.path / ".work" / "results"

    def record_path(self, lesson: str, student: str) -> Path:
        return self.results / lesson / f"{student}.json"

    def read_record(self, lesson: str, student: str) -> dict | None:
        """The record of a finished submission; None if there is none, or half of one."""
        return read_json(self.record_path(lesson, student))

    def write_record(self, record: dict) -> None:
        path = self.record_path(record["lesson"], record["student"])
        write_atomic(path, json.dumps(record, indent=1, ensure_ascii=False))

    def is_current(self, record: dict) -> bool:
        """Whether no regrade of this submission was asked for since it was recorded."""
        return not self.regrades_since(record)

    def regrades_since(self, record: dict) -> list[dict]:
        """The regrades of this submission that were asked for since it was recorded."""
        return [
            asked
            for asked in self.manifest["regrades"]
            if asked["round"] > record["round"]
            and record["lesson"] in asked["lessons"]
            and (asked["students"] is None or record["student"] in asked["students"])
        ]

    def verdicts_that_stay(self, record: dict) -> dict[str, Verdict]:
        """Grade id to verdict of what its regrades leave alone: none, unless all of them name exercises."""
        since = self.regrades_since(record)
        if not since or any(asked["exercises"] is None for asked in since):
            return {}
        anew = {exercise for asked in since for exercise in asked["exercises"]}
        verdicts = record["verdicts"].items()
        return {name: Verdict.from_dict(verdict) for name, verdict in verdicts if exercise_of(name) not in anew}

    def ask_for_regrade(
        self, lessons: list[Lesson], students: list[str] | None = None, exercises: list[str] | None = None
    ) -> None:
        """Begin a new round, in which work on these lessons runs again. None means all students, all exercises."""
        self.manifest["round"] += 1
        asked = {"lessons": [lesson.name for lesson in lessons], "students": students, "exercises": exercises}
        self.manifest["regrades"].append({"round": self.manifest["round"], **asked})

    def records(self) -> list[dict]:
        """All finished submissions, by student and lesson."""
        paths = (path for path in self.results.glob("*/*.json") if not path.name.startswith("."))
        records = [record for path in paths if (record := read_json(path))]
        return sorted(records, key=lambda record: (record["student"], record["lesson"]))

    def released(self, lesson: str) -> Path:
        """The lesson as it was handed out, in the version that this run grades."""
        return self.path / ".work" / "release" / lesson / f"{lesson}.ipynb"

    def save(self) -> None:
        write_atomic(self.path / "run.json", json.dumps(self.manifest, indent=1, ensure_ascii=False) + "\n")

    def finish(self) -> None:
        """Write into the manifest what became of every submission."""
        keys = ("student", "lesson", "file", "sha256", "outcome", "message", "seconds")
        self.manifest["submissions"] = [{key: record[key] for key in keys} for record in self.records()]
        self.manifest["finished"] = now()
        self.save()


def claim_folder(out: Path) -> None:
    """Make the folder for a run. Raises CourseError, with nothing touched, if it is no place for one."""
    if out.exists() and not out.is_dir():
        raise CourseError(f"{out} is a file; --out names a folder")
    stopped_early = (out / ".work").is_dir() and not (out / ".work" / "results").exists()
    if not (out / "run.json").exists() and not stopped_early and out.exists() and any(out.iterdir()):
        raise CourseError(f"{out} is not empty and holds no grading run; choose another --out")
    try:
        (out / ".work").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"{out} cannot be made: {error.strerror}; choose another --out") from error


def open_run(
    out: Path,
    dataset: str,
    budget: str,
    isolation: str,
    lessons: list[Lesson],
    regrade: bool = False,
    students: list[str] | None = None,
    exercises: list[str] | None = None,
) -> RunFolder:
    """The run of a locked folder: a new one, or one to go on with. Nothing is written before its `save` is called.

    isolation  "sandbox", or "none" where submissions run with the grader's rights
    regrade    begin a new round; one of everybody takes over settings that differ from the earlier run's
    students   whom the new round is for; None means everybody
    exercises  what the new round is for; None means everything. The rest keeps the marks that an earlier version of the
               lesson or its checks has given
    """
    settings = {
        "dataset": dataset,
        "budget": budget,
        "isolation": isolation,
        "lessons": {lesson.name: grading_fingerprint(lesson) for lesson in lessons},
    }
    if not (out / "run.json").exists():
        manifest = {"format": FORMAT, **settings, "world_seed": secrets.randbelow(2**128) + 1}
        manifest |= {"round": 1, "regrades": []}
        return RunFolder(out, {**manifest, "versions": versions(), "started": now()})
    run = find_run(out)
    refuse_what_a_regrade_cannot_mend(run, settings, lessons)
    kept = {name: run.manifest[name] for name in ("dataset", "budget", "isolation")}
    kept["lessons"] = {name: value for name, value in run.manifest["lessons"].items() if name in settings["lessons"]}
    wanted = {**settings, "lessons": {name: settings["lessons"][name] for name in kept["lessons"]}}
    changed = [key for key in SETTINGS if kept[key] != wanted[key]]
    whole = students is None and (exercises is None or changed == ["lessons"])
    if changed and not (regrade and whole):
        text = f"{out} holds an earlier run with another {' and another '.join(SETTINGS[key] for key in changed)}"
        chosen = [option for option, given in (("--student", students), ("--exercise", exercises)) if given]
        without = f"--regrade without {' and '.join(chosen)} to grade all of it anew"
        anew = without if chosen else "--regrade to grade it anew"
        raise CourseError(f"{text}; choose another --out, or pass {anew}")
    run.manifest["lessons"].update(settings["lessons"])
    run.manifest.update(dataset=dataset, budget=budget, isolation=isolation, versions=versions())
    if regrade:
        run.ask_for_regrade(lessons, students, exercises)
    return run


def refuse_what_a_regrade_cannot_mend(run: RunFolder, settings: dict, lessons: list[Lesson]) -> None:
    """Raise CourseError if the folder cannot hold the earlier run and one with these settings, even with --regrade."""
    for lesson in lessons:
        released = run.released(lesson.name)
        if released.exists() and nbgrader_cells(nbformat.read(released, as_version=4)) != nbgrader_cells(
            read_source(lesson)
        ):
            text = f"{lesson.name} has exercises added or removed since {run.path} was graded"
            raise CourseError(f"{text}; choose another --out")
    others = sorted(run.manifest["lessons"].keys() - settings["lessons"].keys())
    for key in ("dataset", "budget"):
        if others and run.manifest[key] != settings[key]:
            text = f"{run.path} holds {', '.join(others)} with another {SETTINGS[key]}, which would not be graded anew"
            raise CourseError(f"{text}; choose another --out")


def nbgrader_cells(notebook: NotebookNode) -> set[tuple]:
    """Which cells nbgrader knows, and as what: it cannot take others into a gradebook that has submissions."""
    cells = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {tuple(cell[key] for key in ("grade_id", "grade", "solution", "locked")) for cell in cells}


def find_run(out: Path) -> RunFolder:
    """The folder of an earlier run. Raises CourseError if it is none."""
    try:
        manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise CourseError(f"{out} was written by another version of this command; choose another --out")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{out} holds no grading run: its run.json is missing or damaged") from error
    return RunFolder(out, manifest)


def gradebook_is_gone(out: Path) -> bool:
    """Whether a folder with a grading run has lost its gradebook."""
    return (out / "run.json").exists() and not (out / "gradebook.db").exists()


def read_json(path: Path) -> dict | None:
    """What the file holds; None if it is not there, or cut off."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other processes' runs and reports out of the folder; the lock falls with the process, however that ends."""
    with (out / ".work" / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CourseError(f"another `course` command is writing into {out}; wait for it to end") from error
        yield


def grading_fingerprint(lesson: Lesson) -> str:
    """Changes when the lesson or any check changes."""
    digest = hashlib.sha256(lesson.fingerprint.encode())
    folder = Path(course_utils.checks.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Of Python and of the packages that marks depend on; torch is asked for its version, not imported."""
    names = ("course-utils", "nbgrader", "nbclient", "ipykernel", "numpy", "torch")
    found = {"python": platform.python_version()}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
