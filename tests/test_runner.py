"""One notebook in one kernel: timeouts, deaths and floods of output, each with what ran before kept."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.grading import runner
from course_utils.grading.runner import Settings, execute


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


def test_a_flood_of_output_is_cut_and_the_value_after_it_kept():
    cells, outcome = execute_cells("print('x' * 5_000_000)\n7")
    assert outcome.status == "ok"
    assert sum(len(str(output)) for output in cells[0].outputs) < 3_000_000
    assert cells[0].outputs[-1].data["text/plain"] == "7"
