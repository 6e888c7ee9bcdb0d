"""What a kernel gets of an exam, and that it cannot know, or change, what the judges know."""

import base64
import importlib
import io
import pickle
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from toy_course import LESSON

from course_utils import movielens
from course_utils.checks.framework import OBSERVATION_MIME, WORLDS_VARIABLE, World, checks_of
from course_utils.checks.observation import pack
from course_utils.editions import make_edition, read_edition, write_edition
from course_utils.errors import CourseError
from course_utils.grading.course import find_course
from course_utils.grading.runfolder import open_run
from course_utils.grading.stage import read_source
from course_utils.grading.worlds import Examiner, derived, exam_of
from course_utils.running.runner import Outcome
from course_utils.running.verdicts import remove_observations, verdicts_of

COURSE = find_course(Path(__file__).parent)
LESSONS = [lesson.name for lesson in COURSE.lessons]


@pytest.fixture(scope="module", params=LESSONS)
def examiner(request) -> Examiner:
    return Examiner(exam_of(read_source(COURSE.lesson(request.param)), "synthetic", seed=90210))


def same(left, right) -> bool:
    if isinstance(left, np.ndarray):
        return isinstance(right, np.ndarray) and left.dtype == right.dtype and np.array_equal(left, right)
    return type(left) in (type(right), np.int64, np.float64) and left == right


def test_every_check_cell_of_a_lesson_finds_its_check(examiner):
    assert all(check.points > 0 for check in examiner.checks.values())
    module = importlib.import_module(next(iter(examiner.checks.values())).module.rpartition(".")[0])
    assert set(examiner.checks.values()) == set(checks_of(module).values())


def test_the_public_part_of_every_world_arrives_as_it_was(examiner):
    for grade_id, check in examiner.checks.items():
        public, probe_seed = World.unpack_public((examiner.public / f"{check.key}.npz").read_bytes())
        world = examiner.worlds[grade_id]
        assert public.public.keys() == world.public.keys()
        assert all(same(value, public.public[name]) for name, value in world.public.items()), check.key
        assert not public.secret
        assert probe_seed != examiner.exam.seed


def test_nothing_that_a_kernel_gets_holds_a_secret(examiner):
    for grade_id, check in examiner.checks.items():
        with np.load(examiner.public / f"{check.key}.npz") as stored:
            assert not set(stored.files) & set(examiner.worlds[grade_id].secret)
    assert str(examiner.exam.seed) not in str(examiner.environment)


def test_no_seed_can_be_found_by_trying(examiner, tmp_path):
    lesson = COURSE.lessons[:1]
    seeds = {open_run(tmp_path / str(n), "synthetic", "fast", "none", lesson).manifest["world_seed"] for n in range(20)}
    assert len(seeds) == 20
    assert max(seeds).bit_length() > 120
    parts = [derived(seed, purpose) for seed in (1, 2) for purpose in ("a", "b")]
    assert len(set(parts)) == 4
    assert min(parts).bit_length() > 90
    for grade_id, check in examiner.checks.items():  # one world found out leads to no other
        assert check.world(examiner.exam.seed).public.keys() == examiner.worlds[grade_id].public.keys()
        assert not same_world(check.world(examiner.exam.seed), examiner.worlds[grade_id])


def same_world(left: World, right: World) -> bool:
    return all(same(value, right.public[name]) for name, value in left.public.items())


def test_the_edition_lacks_the_held_out_ratings_and_no_others(examiner):
    ratings, movies = read_edition(examiner.data / "synthetic")
    held_out = [len(w.held_out) for w in examiner.worlds.values() if w.held_out is not None]
    assert len(ratings) == 100_000 - sum(held_out)
    assert set(ratings["item_id"]) <= set(movies["item_id"])


def test_a_kernel_reads_the_edition_by_the_data_sets_name(examiner, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(examiner.data))
    ratings, movies = movielens.load("synthetic")
    expected_ratings, expected_movies = read_edition(examiner.data / "synthetic")
    pd.testing.assert_frame_equal(ratings, expected_ratings)
    pd.testing.assert_frame_equal(movies, expected_movies)


def test_the_synthetic_world_of_an_exam_is_not_everybodys(monkeypatch):
    everybodys = movielens.load("synthetic").ratings
    monkeypatch.setenv(movielens.SYNTHETIC_SEED_VARIABLE, "7")
    assert not movielens.load("synthetic").ratings.equals(everybodys)


def test_an_edition_keeps_stars_films_and_order_but_no_ids(tmp_path, rng):
    ratings, movies = movielens.load("synthetic")
    held_out = rng.choice(100_000, 20_000, replace=False)
    new, new_movies = make_edition(ratings, movies, held_out, rng)
    old = ratings[~ratings["position"].isin(held_out)].sort_values("position")
    assert new["rating"].tolist() == old["rating"].tolist()
    assert new["position"].tolist() == list(range(80_000))
    titles = movies.set_index("item_id")["title"], new_movies.set_index("item_id")["title"]
    assert titles[0][old["item_id"]].tolist() == titles[1][new["item_id"]].tolist()
    for name in ("user_id", "item_id"):
        pairs = set(zip(old[name], new[name], strict=True))
        assert len(pairs) == old[name].nunique() == new[name].nunique()
        assert np.mean([a == b for a, b in pairs]) < 0.02
    write_edition(tmp_path / "x", new, new_movies)
    for written, made in zip(read_edition(tmp_path / "x"), (new, new_movies), strict=True):
        pd.testing.assert_frame_equal(written, made)


def test_a_check_under_a_grader_leaves_an_observation_and_no_verdict(toy_exam, monkeypatch, capsys):
    import toy_checks

    monkeypatch.setenv(WORLDS_VARIABLE, str(toy_exam.public))
    left = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: left.append(bundle))
    assert toy_checks.double(lambda values: values + values) is None
    assert toy_checks.double(lambda values: np.zeros(5)) is None
    verdicts = [toy_exam.judge("check-00-1-double", base64.b64decode(bundle[OBSERVATION_MIME])) for bundle in left]
    assert [(verdict.points, verdict.status) for verdict in verdicts] == [(2, "ok"), (0, "failed")]
    assert not capsys.readouterr().out


@pytest.fixture(scope="module")
def toy_exam(course) -> Examiner:
    return Examiner(exam_of(read_source(course.lesson(LESSON)), "synthetic", seed=5))


def toy_notebook(*outputs) -> nbformat.NotebookNode:
    metadata = {"grade_id": "check-00-1-double", "grade": True, "solution": False, "points": 2}
    cell = new_code_cell("check.double(double)", metadata={"nbgrader": metadata})
    cell.outputs = list(outputs)  # whatever a kernel sends, valid in a notebook or not
    notebook = new_notebook()
    notebook.cells.append(cell)
    return notebook


def observation(data: object) -> nbformat.NotebookNode:
    return nbformat.from_dict({"output_type": "display_data", "data": {OBSERVATION_MIME: data}, "metadata": {}})


def pickled() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        array = io.BytesIO()
        np.save(array, np.array([{"points": 2}], dtype=object), allow_pickle=True)
        archive.writestr("doubled.npy", array.getvalue())
    return file.getvalue()


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param([7, 8], id="a list in place of text"),
        pytest.param("no base64!", id="no base64"),
        pytest.param(base64.b64encode(b"no archive").decode(), id="no archive"),
        pytest.param(base64.b64encode(pickle.dumps({"doubled": 1})).decode(), id="a pickle"),
        pytest.param(base64.b64encode(pickled()).decode(), id="an archive with a pickle in it"),
        pytest.param(base64.b64encode(pack({"doubled": np.full(5, np.nan)})).decode(), id="NaN"),
        pytest.param(base64.b64encode(pack({"doubled": np.full(5, np.inf)})).decode(), id="infinity"),
        pytest.param(base64.b64encode(pack({"points": 1e9, "status": "ok"})).decode(), id="points in place of values"),
    ],
)
def test_a_forged_observation_gets_no_points_and_stops_nobody(toy_exam, forged):
    outcome = Outcome("ok", "", 1, 0.0)
    verdict = verdicts_of(toy_notebook(observation(forged)), outcome, toy_exam.judge)["check-00-1-double"]
    assert verdict.points == 0
    assert verdict.status in ("failed", "error")


def test_what_a_notebook_shows_as_its_verdict_is_not_looked_at(toy_exam):
    fields = {"check": "double", "points": 2.0, "max_points": 2.0, "status": "ok"}
    shown = new_output("execute_result", {"text/plain": "2", "application/vnd.course.verdict+json": fields})
    outcome = Outcome("ok", "", 1, 0.0)
    assert verdicts_of(toy_notebook(shown), outcome)["check-00-1-double"].points == 2
    judged = verdicts_of(toy_notebook(shown), outcome, toy_exam.judge)["check-00-1-double"]
    assert (judged.points, judged.status, judged.slip) == (0, "error", "The check cell ran, but left nothing to judge.")


def test_observations_never_reach_the_gradebook():
    notebook = toy_notebook(observation("x"), new_output("stream", text="hello"))
    notebook.cells.append(new_markdown_cell("text"))
    remove_observations(notebook)
    assert [output.output_type for output in notebook.cells[0].outputs] == ["stream"]


def test_a_check_cell_that_calls_no_check_is_refused_with_its_source():
    notebook = toy_notebook()
    with pytest.raises(CourseError, match=r"check-00-1-double must call one check .*'check.double\(double\)'"):
        exam_of(notebook, "synthetic", 1)
