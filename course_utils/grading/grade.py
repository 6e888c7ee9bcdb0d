"""Grade a folder of submissions: clean each one, run it in a worker, and record it here, the only writer.

One bad submission never stops the others. Each finished one is recorded as it finishes, so a run that was stopped at
any moment goes on where it was when it is started again.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from distributed import Client

from course_utils.checks.verdict import Verdict
from course_utils.errors import CourseError
from course_utils.grading.build import check_sources
from course_utils.grading.course import Course, Lesson
from course_utils.grading.gradebook import Recorder
from course_utils.grading.repair import Repaired, repair
from course_utils.grading.runfolder import RunFolder, claim_folder, locked, open_run
from course_utils.grading.sandbox.settings import Limits, Sandbox
from course_utils.grading.stage import read_source
from course_utils.grading.submissions import Submission, find_submissions
from course_utils.grading.workers import connect, fan_out, package_fingerprint
from course_utils.grading.worlds import Exam, exam_of, worlds_of
from course_utils.running.reading import Unreadable, read_submission
from course_utils.running.runner import Outcome, Settings
from course_utils.running.verdicts import exercise_of

GONE = "the file is gone since; the earlier version counts"


@dataclass(frozen=True)
class Plan:
    """What to grade and how.

    lessons      the lessons to grade; None means those that somebody handed in
    jobs         worker processes on this machine, each with one kernel at a time
    scheduler    address of a Dask scheduler whose workers are used instead; empty if there is none
    timeout      seconds a cell may run
    budget       "fast" or "full": how long training takes that is not graded itself
    regrade      run finished submissions again, if their files are still there
    students     look at nobody else; None means everybody
    exercises    with regrade: the marks of all others stay as they are; None means all
    sandboxed    run each notebook in a sandbox, not with this process's rights
    """

    submitted: Path
    out: Path
    dataset: str
    lessons: list[Lesson] | None = None
    jobs: int = 1
    scheduler: str = ""
    timeout: int = 300
    notebook_timeout: int = 1800
    budget: str = "fast"
    regrade: bool = False
    students: list[str] | None = None
    exercises: list[str] | None = None
    sandboxed: bool = False


@dataclass(frozen=True)
class Job:
    """A submission that is cleaned and ready to run."""

    submission: Submission
    sha256: str
    repaired: Repaired
    clean: str


def grade(course: Course, plan: Plan, progress: Callable[[int, int, dict], None] = lambda *_: None) -> RunFolder:
    """Grade all submissions; returns the run's folder.

    progress  called with (finished, all, record) after each submission
    """
    lessons = scope = course.lessons if plan.lessons is None else plan.lessons
    submissions = find_submissions(plan.submitted, lessons, all_lessons=plan.lessons is not None)
    names = {submission.lesson for submission in submissions}
    if plan.students and (unknown := set(plan.students) - {submission.student for submission in submissions}):
        raise CourseError(f"{plan.submitted} holds no folder of {', '.join(sorted(unknown))}")
    if plan.out.resolve().is_relative_to(plan.submitted.resolve()):
        raise CourseError(f"{plan.out} lies inside {plan.submitted}; choose an --out outside of it")
    exams = {lesson: exam_of(read_source(lesson), plan.dataset, seed=0) for lesson in lessons if lesson.name in names}
    if plan.exercises:
        exams = those_with(plan.exercises, exams)
    lessons = list(exams)
    check_sources(course, lessons)
    for exam in exams.values():
        worlds_of(exam)  # what cannot be graded is said at once
    out = plan.out.resolve()
    claim_folder(out)
    with locked(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of nbgrader about its own database, and of nbformat about what is mended
        isolation = "sandbox" if plan.sandboxed else "none"
        run = open_run(out, plan.dataset, plan.budget, isolation, lessons, plan.regrade, plan.students, plan.exercises)
        recorder = Recorder(out)
        # Workers come up while the gradebook is prepared.
        with connect(plan.scheduler, plan.jobs, out / ".work" / "workers", plan.sandboxed) as client:
            for lesson in lessons:
                recorder.prepare(course, lesson)
            run.save()
            looked_at = {lesson.name for lesson in lessons}
            chosen = [
                one
                for one in submissions
                if one.lesson in looked_at and (plan.students is None or one.student in plan.students)
            ]
            Grading(plan, run, recorder, progress, chosen, settings_of(course, plan)).all(client)
        keep_what_is_gone(run, scope, submissions)
    return run


def those_with(exercises: list[str], exams: dict[Lesson, Exam]) -> dict[Lesson, Exam]:
    """The lessons that have any of these exercises. Raises CourseError if one is in none of them."""
    known = {lesson: {exercise_of(grade_id) for grade_id, _ in exam.checks} for lesson, exam in exams.items()}
    if unknown := set(exercises) - set().union(*known.values()):
        names = ", ".join(sorted(set().union(*known.values())))
        raise CourseError(f"no check is called {', '.join(sorted(unknown))}; those that were handed in are {names}")
    return {lesson: exams[lesson] for lesson, names in known.items() if names & set(exercises)}


def settings_of(course: Course, plan: Plan) -> Settings:
    """How every notebook is run."""
    hidden = tuple(str(path.resolve()) for path in (course.root, plan.submitted, plan.out))
    limits = Limits(cpu_seconds=plan.notebook_timeout, wall_seconds=plan.notebook_timeout + 60)
    sandbox = Sandbox(limits, hidden=hidden, warm=True) if plan.sandboxed else None
    return Settings(plan.timeout, plan.notebook_timeout, {"COURSE_BUDGET": plan.budget}, sandbox)


class Grading:
    """The work of one call of `grade`."""

    def __init__(
        self,
        plan: Plan,
        run: RunFolder,
        recorder: Recorder,
        progress: Callable,
        submissions: list[Submission],
        settings: Settings,
    ):
        self.plan, self.run, self.recorder, self.progress = plan, run, recorder, progress
        self.submissions = submissions
        self.in_gradebook = {(student, lesson) for student, lesson, _ in recorder.marks()}
        self.finished = 0
        self.settings = settings
        self.exams = {
            lesson: exam_of(released, plan.dataset, run.manifest["world_seed"])
            for lesson, released in recorder.released.items()
        }

    def all(self, client: Client) -> None:
        """Run what is not finished, on as many workers as there are."""
        package = package_fingerprint() if self.plan.scheduler else ""
        jobs = (
            (job, (job.clean, self.settings, self.exams[job.submission.lesson], package)) for job in self.ready_jobs()
        )
        for job, result in fan_out(client, jobs, at_least=self.plan.jobs):
            self.record(job, *result)

    def ready_jobs(self) -> Iterator[Job]:
        """Clean the submissions one by one; what cannot run is recorded at once, what is finished is skipped."""
        for submission in self.submissions:
            if submission.path is None:
                self.record_unusable(submission, submission.status, submission.problem, "")
                continue
            digest = ""
            try:
                data, notebook = read_submission(submission.path)
                digest = hashlib.sha256(data).hexdigest()
                if self.is_finished(submission, digest):
                    self.keep_earlier(submission, "")
                    continue
                repaired = repair(notebook, self.recorder.released[submission.lesson])
                clean = self.recorder.sanitise(submission.lesson, submission.student, repaired.notebook)
                yield Job(submission, digest, repaired, nbformat.writes(clean))
            except FileNotFoundError:
                self.record_unusable(submission, "missing", "the file was gone before it could be read", digest)
            except (Unreadable, OSError) as problem:
                self.record_unusable(submission, "unreadable", str(problem), digest)
            except Exception as problem:  # whatever an odd file breaks must not stop the others
                text = f"the notebook could not be prepared: {type(problem).__name__}: {problem}"
                self.record_unusable(submission, "unreadable", text, digest)

    def record(self, job: Job, executed: str, outcome: Outcome, verdicts: dict[str, Verdict]) -> None:
        """Record a submission that ran, its record last."""
        submission = job.submission
        known = self.run.read_record(submission.lesson, submission.student)
        if known and known["sha256"] == job.sha256:
            verdicts = verdicts | self.run.verdicts_that_stay(known)
        try:
            self.recorder.record(submission.lesson, submission.student, job.clean, executed, verdicts)
        except CourseError:  # whatever the notebook shows must not stop the others, nor cost its student a mark
            self.recorder.record(submission.lesson, submission.student, job.clean, job.clean, verdicts)
        notes = {grade_id: texts for grade_id, texts in job.repaired.notes.items() if texts}
        if submission.note:
            notes.setdefault("", []).append(submission.note)
        self.keep(
            submission,
            sha256=job.sha256,
            outcome=outcome.status,
            message=outcome.message,
            seconds=outcome.seconds,
            tampered=sorted(job.repaired.tampered),
            notes=notes,
            verdicts={grade_id: verdict.as_dict() for grade_id, verdict in verdicts.items()},
        )

    def record_unusable(self, submission: Submission, status: str, reason: str, digest: str) -> None:
        """Record a submission that cannot run; what ran of it earlier still counts."""
        known = self.run.read_record(submission.lesson, submission.student)
        if known and known["verdicts"]:
            unreadable = f"the new file cannot be read: {reason}; the earlier version counts"
            self.keep_earlier(submission, GONE if status == "missing" else unreadable)
            return
        if submission.student.isprintable():
            self.recorder.record_nothing(submission.lesson, submission.student, reason)
        empty = {"seconds": 0.0, "tampered": [], "notes": {}, "verdicts": {}}
        self.keep(submission, sha256=digest, outcome=status, message=reason, **empty)

    def keep(self, submission: Submission, **facts) -> None:
        file = submission.path.name if submission.path else ""
        record = {"student": submission.student, "lesson": submission.lesson, "file": file, "since": "", **facts}
        self.run.write_record({**record, "round": self.run.manifest["round"]})
        self.tell(record)

    def is_finished(self, submission: Submission, digest: str) -> bool:
        """Whether this very file has run in this round, and the gradebook still knows of it."""
        known = self.run.read_record(submission.lesson, submission.student)
        return (
            known is not None
            and known["sha256"] == digest
            and self.run.is_current(known)
            and (submission.student, submission.lesson) in self.in_gradebook
        )

    def keep_earlier(self, submission: Submission, since: str) -> None:
        """Let the record of an earlier run count. `since`: what became of the file, if it is not the same any more."""
        known = self.run.read_record(submission.lesson, submission.student)
        if known["since"] != since:
            known["since"] = since
            self.run.write_record(known)
        self.tell(known)

    def tell(self, record: dict) -> None:
        self.finished += 1
        self.progress(self.finished, len(self.submissions), record)


def keep_what_is_gone(run: RunFolder, lessons: list[Lesson], submissions: list[Submission]) -> None:
    """Note in the records of these lessons whose folders are no longer there that they still count."""
    present = {(submission.student, submission.lesson) for submission in submissions}
    names = {lesson.name for lesson in lessons}
    for record in run.records():
        gone = record["lesson"] in names and (record["student"], record["lesson"]) not in present
        if gone and record["verdicts"] and record["since"] != GONE:
            run.write_record({**record, "since": GONE})
