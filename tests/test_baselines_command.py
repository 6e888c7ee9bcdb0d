"""The command `course baselines`, as a person calls it."""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from course_utils import cli
from course_utils.baselines import recorded
from course_utils.baselines.rivals import RIVALS, Rival


@pytest.fixture
def course(monkeypatch, capsys):
    """Call `course baselines` in this process: exit code, standard output, standard error."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["course", "baselines", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_the_command_runs_records_and_prints_what_it_was_asked_for(small_world, course):
    code, out, err = course("synthetic", "--model", "popularity", "--model", "markov", "--splits", "2", "--json")
    assert code == 0
    assert [(row["task"], row["model"], row["n"]) for row in json.loads(out)] == [
        *[("retrieval", "popularity", 2)] * 5,
        *[("retrieval", "markov", 2)] * 5,
        *[("sequence", "popularity", 2)] * 2,
        *[("sequence", "markov", 2)] * 2,
    ]
    assert "synthetic sequence: markov has run on 2 splits" in err
    code, out, _ = course("synthetic", "--recorded", "--task", "sequence")
    assert code == 0
    assert "synthetic, sequence" in out
    assert "±" in out
    assert "retrieval" not in out


def test_recorded_results_are_printed_as_rows_with_the_promised_keys(course):
    code, out, err = course("--recorded", "--json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert {tuple(row) for row in rows} == {("dataset", "task", "model", "settings", "metric", "mean", "sd", "n")}
    assert {(row["dataset"], row["task"]) for row in rows} == set(
        product(("ml-100k", "ml-latest-small", "synthetic"), RIVALS)
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--splits", "1"), "a spread needs at least 2 splits, got 1"),
        (("--task", "chess"), "no task is called 'chess'; there are explicit, retrieval, sequence"),
        (("--task", "explicit", "--model", "ease"), "no explicit model is called 'ease'; there are global_mean"),
        (("--model", "wishful"), "no model is called 'wishful'; there are global_mean"),
        (("--engine", "warp"), "no engine is called 'warp'; there are course, spotlight"),
        (("ml-1k",), "there is no data set named 'ml-1k'"),
        (("--recorded", "--task", "chess"), "no task is called 'chess'; there are explicit, retrieval, sequence"),
        (
            ("--recorded", "--task", "explicit", "--model", "ease"),
            "no explicit model is called 'ease'; there are global",
        ),
        (
            ("--recorded", "--model", "ease", "--model", "wishful"),
            "no model is called 'wishful'; there are global_mean",
        ),
        (("--recorded", "--engine", "warp"), "no engine is called 'warp'; there are course, spotlight"),
        (("--recorded", "ml-1k"), "Nothing like that is recorded; there are ml-100k explicit"),
    ],
)
def test_a_wrong_word_is_one_clear_line_and_changes_nothing(course, words, line):
    before = recorded.PATH.read_bytes()
    code, out, err = course(*words)
    assert (code, out) == (1, "")
    assert err.startswith(line)
    assert len(err.splitlines()) == 1
    assert recorded.PATH.read_bytes() == before


def test_without_the_original_its_engine_is_one_clear_line(course, monkeypatch):
    monkeypatch.setattr("course_utils.baselines.record.why_missing", lambda: "it is not here")
    assert course("--engine", "spotlight") == (1, "", "it is not here\n")


def test_what_the_original_scored_is_printed_without_the_original(course, monkeypatch):
    monkeypatch.setattr("course_utils.baselines.record.why_missing", lambda: "it is not here")
    assert course("--recorded", "--engine", "spotlight")[0] == 0
    code, _, err = course("--recorded", "--engine", "spotlight", "--model", "ease")
    assert (code, err.split(";")[0]) == (1, "no model that the engine spotlight runs is called 'ease'")


def test_the_help_says_where_results_are_written(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["course", "baselines", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "recorded.json" in capsys.readouterr().out


def test_stopping_the_command_is_one_clear_line(small_world, course, monkeypatch):
    def stop(fold, seed, engine):
        raise KeyboardInterrupt

    monkeypatch.setitem(RIVALS["explicit"], "user_mean", Rival(stop))
    code, out, err = course("synthetic", "--task", "explicit", "--splits", "2")
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "Stopped. The models that were finished are recorded."
    assert [row["model"] for row in recorded.load()] == ["global_mean"]


def test_the_help_answers_before_anything_slow_is_imported():
    code = "import sys; import course_utils.cli; assert not {'numpy', 'pandas', 'torch'} & set(sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
