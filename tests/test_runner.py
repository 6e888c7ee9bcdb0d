"""One notebook in one kernel: timeouts, deaths and floods of output, each with what ran before kept."""

import os
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.running import clients, runner
from course_utils.running.runner import Settings, execute


def execute_cells(*sources: str, **settings):
    text = nbformat.writes(new_notebook(cells=[new_code_cell(source) for source in sources]))
    executed, outcome = execute(text, Settings(**settings))
    return nbformat.reads(executed, as_version=4).cells, outcome


def test_a_cell_that_swallows_the_interrupt_is_killed_and_earlier_outputs_stay(monkeypatch):
    monkeypatch.setattr(runner, "INTERRUPT_GRACE", 1)
    stubborn = "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except KeyboardInterrupt:\n        pass"
    cells, outcome = execute_cells("6 * 7", stubborn, "1", cell_timeout=1)
    assert (outcome.status, outcome.reached) == ("timeout", 1)
    assert cells[0].outputs[0].data["text/plain"] == "42"


def test_a_notebook_has_a_clock_of_its_own_and_leaves_no_process_behind():
    child = "import subprocess\nchild = subprocess.Popen(['sleep', '300'])\nprint(child.pid)"
    cells, outcome = execute_cells(child, "import time\ntime.sleep(300)", notebook_timeout=6)
    assert (outcome.status, outcome.message) == ("timeout", "the notebook was stopped after 6 s")
    pid = int(cells[0].outputs[0].text)
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_where_there_are_no_process_groups_the_clock_still_stops_the_kernel(monkeypatch):
    """As on Windows."""
    monkeypatch.delattr(os, "killpg")
    monkeypatch.delattr(os, "getpgid")
    _, outcome = execute_cells("1", "import time\ntime.sleep(300)", notebook_timeout=6)
    assert (outcome.status, outcome.reached) == ("timeout", 1)
    assert outcome.seconds < 60


def test_a_flood_of_output_is_cut_and_the_value_after_it_kept():
    cells, outcome = execute_cells("print('x' * 5_000_000)\n7")
    assert outcome.status == "ok"
    assert sum(len(str(output)) for output in cells[0].outputs) < 3_000_000
    assert cells[0].outputs[-1].data["text/plain"] == "7"


def test_one_very_long_line_takes_no_longer_than_many_short_ones():
    (cell,), outcome = execute_cells("print('x' * 1_900_000)", cell_timeout=60, notebook_timeout=60)
    assert outcome.status == "ok"
    assert outcome.seconds < 60
    assert len(cell.outputs[0].text) == 1_900_001


def test_of_a_progress_bar_the_last_state_is_kept_and_streams_are_in_one_piece():
    lines = ["import sys", "print('0%\\r50%', end='')", "print('w', file=sys.stderr)", "sys.stdout.flush()"]
    (cell,), _ = execute_cells("\n".join([*lines, "print('\\r100%\\r\\nend')"]))
    assert {output.name: output.text for output in cell.outputs} == {"stdout": "100%\nend\n", "stderr": "w\n"}


def test_a_progress_bar_that_wipes_itself_out_leaves_nothing_on_its_line():
    (cell,), _ = execute_cells("print('before')\nprint('\\r50%\\r   \\r', end='')")
    assert cell.outputs[0].text == "before\n"


def test_all_cells_together_keep_no_more_than_a_notebook_may_show(monkeypatch):
    monkeypatch.setattr(clients, "MAX_NOTEBOOK_BYTES", 10_000)
    cells, outcome = execute_cells(*["print('x' * 3000)"] * 8, "7")
    assert outcome.status == "ok"
    assert sum(len(str(cell.outputs)) for cell in cells) < 12_000
    assert cells[-1].outputs[-1].data["text/plain"] == "7"
