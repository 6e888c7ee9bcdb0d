"""A check says what is right and wrong, and nothing that a student writes breaks it."""

import random
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from course_utils.checks import explicit_mf, ratings
from course_utils.checks.expect import Finding, expect_close, expect_equal
from course_utils.checks.framework import Check, World, check, checks_of
from course_utils.checks.observation import Unusable, pack, unpack
from course_utils.checks.verdict import Verdict

ALL_CHECKS = {
    f"{module.__name__}.{name}": c for module in (ratings, explicit_mf) for name, c in checks_of(module).items()
}


@pytest.fixture(autouse=True)
def _synthetic(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "synthetic")


def small_world(rng: np.random.Generator) -> World:
    return World(public={"x": rng.normal(size=3)}, secret={"y": rng.normal(size=3)})


def make_check(probe=None, judge=None, **options) -> Check:
    """A check of `answer(x) == 2 x`, or with another probe or judge."""

    def doubled(answer, world):
        return {"out": answer(world.x)}

    def is_double(seen, world):
        yield expect_close(seen["out"], 2 * world.x, slip="Twice, please.", saw="Doubled.")

    made = check(points=2, call="answer(x)", world=small_world, **options)(probe or doubled)
    made.judge(judge or is_double)
    return made


def verdict_on(answer, **options) -> Verdict:
    made = make_check(**options)
    return made.conclude(made.observe((answer,), made.world(0), 0), made.world(0))


def test_a_right_answer_gets_full_points_and_says_what_was_seen():
    assert verdict_on(lambda x: 2 * x) == Verdict("doubled", 2.0, 2.0, "ok", saw="Doubled.")


def test_a_wrong_answer_is_told_call_result_expectation_and_slip():
    verdict = verdict_on(lambda x: 3 * x)
    assert (verdict.points, verdict.status, verdict.called, verdict.slip) == (
        0,
        "failed",
        "answer(x)",
        "Twice, please.",
    )
    assert "[0]" in verdict.came_back
    assert "[0]" in verdict.expected


def test_the_judge_gets_copies_of_arrays_and_nothing_else():
    got, mine = [], np.arange(3.0)

    def keep(seen, world):
        got.append(seen)
        return Finding(1)

    verdict_on(lambda x: None, probe=lambda answer, world: {"a": mine, "f": len, "t": torch.ones(1)}, judge=keep)
    (seen,) = got
    assert not np.shares_memory(seen["a"], mine)
    assert {name: type(value) for name, value in seen.items()} == {"a": np.ndarray, "f": Unusable, "t": np.ndarray}


def test_the_probe_never_gets_a_secret():
    def peek(answer, world):
        return {"names": sorted(vars(world))}

    made = make_check(probe=peek, judge=lambda seen, world: expect_equal(seen["names"], ["x"]))
    world = made.world(0)
    assert made.conclude(made.observe((None,), world, 0), world).status == "ok"
    assert set(vars(world.for_judge())) == {"x", "y"}


def raising(error: BaseException):
    def answer(x):
        raise error

    return answer


def test_a_stub_is_not_attempted():
    verdict = verdict_on(raising(NotImplementedError("Replace this line")))
    assert (verdict.points, verdict.status) == (0, "not_attempted")


def test_a_module_without_forward_is_an_error_and_no_stub():
    verdict = verdict_on(lambda x: torch.nn.Module()(torch.as_tensor(x)))
    assert verdict.status == "error"
    assert "forward" in verdict.message


def test_an_answer_that_calls_another_stub_is_an_error_and_no_stub():
    stub = raising(NotImplementedError("Replace this line"))
    verdict = verdict_on(lambda x: stub(x))
    assert (verdict.status, verdict.came_back[:19]) == ("error", "NotImplementedError")


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (ValueError("one\n  two"), "ValueError: one two"),
        (ValueError("x" * 5000), "..."),
        (Unspeakable(), "Unspeakable: (its text cannot be had: RuntimeError)"),
        (RecursionError(), "RecursionError"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_whatever_an_answer_raises_ends_in_a_verdict(error, words):
    verdict = verdict_on(raising(error))
    assert (verdict.points, verdict.status) == (0, "error")
    assert words in verdict.came_back
    assert len(verdict.came_back) < 500


def test_an_interrupt_by_the_person_goes_through():
    with pytest.raises(KeyboardInterrupt):
        verdict_on(raising(KeyboardInterrupt()))


def test_a_hint_goes_with_its_exception():
    verdict = verdict_on(lambda x: x[99], hints={"IndexError": "Count from 0."})
    assert verdict.slip == "Count from 0."


def test_blame_names_the_line_of_the_student_not_of_a_library():
    namespace = {"np": np}
    source = "def answer(x):\n    y = x + 1\n    return np.linalg.solve(y, y)\n"
    exec(compile(source, "/tmp/ipykernel_1/cell.py", "exec"), namespace)
    assert "in answer, line 3" in verdict_on(namespace["answer"]).came_back


def test_a_judge_that_stumbles_gives_no_points_and_says_so():
    def stumble(seen, world):
        yield Finding(1, saw="So far so good.")
        raise KeyError("scores")

    verdict = verdict_on(lambda x: x, judge=stumble)
    assert (verdict.points, verdict.status) == (0, "failed")
    assert "could not be judged" in verdict.slip


def test_the_first_finding_that_fails_ends_the_judge_and_the_lowest_share_counts():
    def judge(seen, world):
        yield Finding(1, saw="One.")
        yield Finding(0.25, saw="Two.", slip="Third.")
        raise AssertionError("the judge went on")

    verdict = verdict_on(lambda x: x, judge=judge)
    assert (verdict.points, verdict.status, verdict.saw, verdict.slip) == (0.5, "failed", "One. Two.", "Third.")


def test_no_finding_at_all_gives_no_points():
    assert verdict_on(lambda x: x, judge=lambda seen, world: iter(())).points == 0


def test_the_callers_random_states_are_left_as_they_were():
    def draw():
        return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002

    def answer(x):
        draw()
        torch.manual_seed(99)
        np.random.seed(99)  # noqa: NPY002
        random.seed(99)
        return 2 * x

    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(5)
    expected = draw()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(5)
    verdict_on(answer)
    verdict_on(raising(ValueError()))
    assert draw() == expected


def test_an_answer_that_draws_gets_the_same_draws_for_the_same_seed():
    made = make_check(probe=lambda answer, world: {"out": answer()})
    draw = (lambda: [random.random(), np.random.random(), torch.rand(1).item()],)  # noqa: NPY002
    assert made.observe(draw, made.world(0), 3) == made.observe(draw, made.world(0), 3)
    assert made.observe(draw, made.world(0), 3) != made.observe(draw, made.world(0), 4)


def test_what_an_answer_writes_to_standard_error_goes_to_standard_output(capsys):
    def answer(x):
        print("to stderr", file=sys.stderr)
        warnings.warn("careful", stacklevel=1)
        print("to stdout")
        return 2 * x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert verdict_on(answer).status == "ok"
    written = capsys.readouterr()
    assert written.err == ""
    assert "to stdout" in written.out
    assert "to stderr" in written.out


DIGESTS = """
import hashlib, sys
import numpy as np
from course_utils.checks import explicit_mf, ratings
from course_utils.checks.framework import checks_of
from course_utils.checks.observation import pack
for module in (ratings, explicit_mf):
    for name, check in checks_of(module).items():
        for seed in (0, 1):
            world = check.world(seed)
            digest = hashlib.sha256()
            for part in (world.public, world.secret):
                for key in sorted(part):
                    digest.update(key.encode() + np.ascontiguousarray(part[key]).tobytes())
            print(name, seed, digest.hexdigest())
            check.conclude(pack({}), world)
assert "torch" not in sys.modules
"""


def test_worlds_depend_on_the_seed_alone_and_neither_they_nor_judges_need_torch():
    runs = [
        subprocess.run([sys.executable, "-c", DIGESTS], check=True, capture_output=True, text=True).stdout for _ in "ab"
    ]
    assert runs[0] == runs[1]
    digests = [line.split()[2] for line in runs[0].splitlines()]
    assert len(digests) == 2 * len(ALL_CHECKS)
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("name", ALL_CHECKS)
def test_a_world_can_be_stored_and_keeps_its_secrets_from_the_probe(name):
    world = ALL_CHECKS[name].world(11)
    assert not set(world.public) & set(world.secret)
    assert set(vars(world.for_probe())) == set(world.public)
    for part in (world.public, world.secret):
        back = unpack(pack(dict(part)))
        assert set(back) == set(part)
        for key, value in part.items():
            np.testing.assert_array_equal(back[key], value)


@pytest.mark.parametrize("name", ALL_CHECKS)
def test_an_observation_without_anything_in_it_earns_nothing(name):
    world = ALL_CHECKS[name].world(0)
    assert ALL_CHECKS[name].conclude(pack({}), world).points == 0
    assert ALL_CHECKS[name].conclude(b"no archive", world).status == "error"


@pytest.mark.parametrize("name", ALL_CHECKS)
def test_a_check_has_a_sentence_a_call_and_points(name):
    assert ALL_CHECKS[name].__doc__
    assert "(" in ALL_CHECKS[name].call
    assert ALL_CHECKS[name].points >= 1


def test_a_verdict_holds_only_texts_that_can_be_shown():
    shown = Verdict("x", 0, 1, "error", came_back="a\ud83d\x1b[2J\u202eb", slip="y" * 10_000).readable()
    assert shown.came_back == "a��[2J�b"
    assert len(shown.slip) == 2000
