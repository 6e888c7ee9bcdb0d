"""One definition of a check, used in the notebook, by pytest and by the autograder.

A check has three parts. Its *world* is made from a seed: a public part, which goes into the student's process, and a
secret part, which does not. Its *probe* runs beside the student's code, calls it on the public part and returns plain
arrays. Its *judge* is a pure function of what the probe returned and of the world, and may run in another process:
everything it learns from the probe passes through .npz without pickles, even here, where both run in one place.

    def stars_world(rng):
        return World(public={"scores": rng.normal(3, 2, 50).astype("float32"), "low": 1.0, "high": 5.0})

    @check(points=1, call="clip_to_scale(scores, low, high)", world=stars_world)
    def clip(clip_to_scale, world):
        return {"clipped": clip_to_scale(torch.as_tensor(world.scores), world.low, world.high)}

    @clip.judge
    def _(seen, world):
        yield expect_close(seen["clipped"], np.minimum(np.maximum(world.scores, world.low), world.high),
                           slip="Only scores outside the scale should move.")

A judge yields findings. The first that fails ends it; if none does, the points are full. In a notebook, a check's call
shows the verdict as a card; it never raises, except that an untouched stub stops a run of all cells with one line.
"""

from __future__ import annotations

import base64
import contextlib
import os
import random
import sys
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from course_utils.checks.blame import blame, cells_behind, is_stub, message_of
from course_utils.checks.expect import Finding
from course_utils.checks.live import CaughtErrors
from course_utils.checks.notebook import CannotRun, Interrupted, NotAttempted, in_notebook, show
from course_utils.checks.observation import ERROR_KEY, Observation, pack, unpack
from course_utils.checks.standing import Standing
from course_utils.checks.verdict import Verdict, number

PUBLIC_SEED = 0
"""The world that a student's own runs are judged in. A grader draws another, and does not tell."""

WORLDS_VARIABLE = "COURSE_WORLDS"
"""A grader sets this to a folder that holds the public part of each check's world. A check that finds it leaves an
observation for a judge elsewhere, and judges nothing itself."""

OBSERVATION_MIME = "application/vnd.course.observation"
"""Under this type a notebook's output carries an observation, in base64."""

VALIDATING = "NBGRADER_VALIDATING"
"""nbgrader sets this while it runs a notebook for JupyterLab's Validate button, or for `nbgrader validate`."""

PROBE_SEED = "__probe_seed__"

latest: dict[str, tuple[Verdict | None, float]] = {}
"""What this process's checks have said last, by `Check.key`, and when; None while one runs, or was stopped."""


@dataclass(frozen=True)
class World:
    """One instance of the task that a check sets.

    public    the inputs: names to arrays, numbers and text
    secret    what only the judge may know: likewise
    held_out  (n,) int, where answers were taken from the course's data set: the `position` of each of these ratings
    """

    public: Mapping = field(default_factory=dict)
    secret: Mapping = field(default_factory=dict)
    held_out: np.ndarray | None = None

    def for_probe(self) -> SimpleNamespace:
        return SimpleNamespace(**self.public)

    def for_judge(self) -> SimpleNamespace:
        return SimpleNamespace(**self.public, **self.secret)

    def pack_public(self, probe_seed: int) -> bytes:
        """The public part, and the seed of the probe's own random numbers, for a process that may know no more."""
        return pack({**self.public, PROBE_SEED: probe_seed})

    @classmethod
    def unpack_public(cls, data: bytes) -> tuple[World, int]:
        """The inverse of `pack_public`: a world without secrets, and the probe's seed."""
        public = {name: array.item() if array.ndim == 0 else array for name, array in unpack(data).items()}
        probe_seed = public.pop(PROBE_SEED)
        return cls(public), probe_seed


def check(
    *,
    points: float,
    call: str,
    world: Callable[[np.random.Generator], World] = lambda rng: World(),
    hints: Mapping[str, str] | None = None,
):
    """Turn a probe into a `Check`.

    points  its full marks
    call    the call that the probe makes, as a student would write it; every message starts from it
    world   makes the check's world from a seeded generator
    hints   exception's class name to the likely slip behind it
    """

    def decorate(probe: Callable) -> Check:
        return Check(probe=probe, points=float(points), call=call, make_world=world, hints=hints or {})

    return decorate


class Check:
    """A probe, its judge and its world. Call it with the student's answer to get a `Verdict`."""

    def __init__(self, probe: Callable, points: float, call: str, make_world: Callable, hints: Mapping[str, str]):
        self.name: str = probe.__name__
        self.module: str = probe.__module__
        self.points = points
        self.call = call
        self.hints = hints
        self.__doc__ = probe.__doc__
        self._probe = probe
        self._judge: Callable | None = None
        self._make_world = make_world

    def __repr__(self) -> str:
        return f"<check {self.name}, {number(self.points)} points>"

    @property
    def key(self) -> str:
        """`package.module.name`: what sets the check apart from all others."""
        return f"{self.module}.{self.name}"

    @property
    def answer(self) -> str:
        """What the student writes, by its name in the call."""
        return self.call.partition("(")[0]

    def judge(self, function: Callable) -> Callable:
        """Decorator: this function judges what the probe returns."""
        self._judge = function
        return function

    def world(self, seed: int) -> World:
        """The world of a seed: the same seed gives the same world in every process."""
        name = zlib.crc32(self.key.encode())
        return self._make_world(np.random.default_rng([seed, name]))

    def observe(self, answers: tuple, world: World, seed: int) -> bytes:
        """Run the probe beside the student's code; returns the packed observation, whatever that code does.

        Prints of the student's code go to standard output, its warnings too: on standard error nbgrader would take
        them for a failure. In a notebook that nobody grades, its progress bars are seen as they go. The caller's random
        states are left as they were.
        """
        written = CaughtErrors(live=in_notebook() and WORLDS_VARIABLE not in os.environ)
        try:
            with contextlib.redirect_stderr(written), isolated_randomness(seed), warnings.catch_warnings():
                warnings.simplefilter("default")
                try:
                    seen = self._probe(*answers, world.for_probe())
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # SystemExit of a student's code ends in a verdict, too
                    kind = NotAttempted if is_stub(error) else type(error)
                    seen = {ERROR_KEY: [kind.__name__, message_of(error), blame(error)]}
        finally:
            if rest := written.end():
                print(rest)
        return pack(seen)

    def conclude(self, observation: bytes, world: World) -> Verdict:
        """Judge a packed observation: a pure function, for any process that knows the world."""
        return self._judged(unpack(observation), world).readable()

    def _judged(self, seen: Observation, world: World) -> Verdict:
        if seen.error:
            return self._verdict_on_error(seen.error)
        findings = []
        try:
            for finding in self._findings(seen, world):
                findings.append(finding)
                if not finding.ok:
                    break
        except Exception as problem:
            slip = "What your answer returned could not be judged. Compare its type and shape with the text above."
            findings.append(Finding(0, came_back=f"{type(problem).__name__}: {message_of(problem)}", slip=slip))
        share = min((finding.share if finding.share > 0 else 0.0 for finding in findings), default=0.0)  # NaN is none
        last = findings[-1] if findings else Finding(0)
        saw = " ".join(finding.saw for finding in findings if finding.saw) if share > 0 else ""
        facts = (
            {}
            if last.ok
            else {
                "called": last.call or self.call,
                "came_back": last.came_back,
                "expected": last.expected,
                "slip": last.slip,
            }
        )
        ladder = next((finding.ladder for finding in reversed(findings) if finding.ladder), None)
        return Verdict(
            self.name,
            ladder=Standing.from_dict(asdict(ladder)) if ladder else None,  # none whose figure is infinite, say
            points=self.points if share >= 1 else round(self.points * share, 6),
            max_points=self.points,
            status="ok" if share >= 1 else "failed",
            saw=saw,
            **facts,
        )

    def _findings(self, seen: Observation, world: World) -> Iterator[Finding]:
        if self._judge is None:
            raise TypeError(f"check {self.name} has no judge")
        findings = self._judge(seen, world.for_judge())
        return iter([findings]) if isinstance(findings, Finding) else iter(findings)

    def _verdict_on_error(self, error: dict[str, str]) -> Verdict:
        verdict = {"check": self.name, "points": 0.0, "max_points": self.points}
        if error["type"] == NotAttempted.__name__:
            return Verdict(
                **verdict,
                status="not_attempted",
                slip=f"{self.answer} is still to do: in its cell, replace the line `raise NotImplementedError(...)` by "
                "your answer. Run that cell, then this check.",
            )
        return Verdict(
            **verdict,
            status="error",
            called=self.call,
            came_back=f"{error['type']}: {error['message']}" + (f", {error['where']}" if error["where"] else ""),
            expected="a value, not an exception",
            slip=self.hints.get(
                error["type"], "Run your answer on a small example in a cell of its own to see the whole traceback."
            ),
        )

    def __call__(self, *answers) -> Verdict | None:
        """Run probe and judge in place, show the verdict where there is a notebook, and return it.

        Under a grader, leave the observation among the cell's outputs and return nothing: the judge is elsewhere.
        """
        if folder := os.environ.get(WORLDS_VARIABLE):
            world, probe_seed = World.unpack_public((Path(folder) / f"{self.key}.npz").read_bytes())
            leave(self.observe(answers, world, probe_seed))
            return None
        if not in_notebook():
            return self._run(answers)
        try:
            verdict = self._run(answers)
        except KeyboardInterrupt:
            raise Interrupted(f"{self.name} was interrupted and has no verdict. Run this cell again.") from None
        show(verdict)
        if VALIDATING in os.environ and verdict.status != "ok":
            print(verdict.wrapped(), file=sys.stderr)  # nbgrader's Validate shows what a check writes here, no card
        elif verdict.status == "not_attempted":
            raise NotAttempted(verdict.slip) from None
        return verdict

    def _run(self, answers: tuple) -> Verdict:
        """The verdict in the public world, which is put down in `latest`."""
        latest[self.key] = None, time.time()
        try:
            world = self.world(PUBLIC_SEED)
        except Exception as problem:
            if not in_notebook():
                raise
            raise CannotRun(f"{self.name} could not start, through no fault of yours: {message_of(problem)}") from None
        verdict = self.conclude(self.observe(answers, world, PUBLIC_SEED), world)
        verdict = replace(verdict, cells=cells_behind(answers) if in_notebook() else "")
        latest[self.key] = verdict, time.time()
        return verdict


def checks_of(module) -> dict[str, Check]:
    """The checks that a lesson's module defines, by name, in the order of the file."""
    return {check.name: check for check in vars(module).values() if isinstance(check, Check)}


@contextlib.contextmanager
def isolated_randomness(seed: int) -> Iterator[None]:
    """Seed Python, NumPy and torch for the block, and give the caller its own states back after it."""
    torch = sys.modules.get("torch")
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch_state = torch.get_rng_state() if torch else None
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if torch:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        if torch_state is not None:
            torch.set_rng_state(torch_state)


def leave(observation: bytes) -> None:
    """Put the observation among the running cell's outputs."""
    from IPython.display import display

    display({OBSERVATION_MIME: base64.b64encode(observation).decode()}, raw=True)
