# Shows a forged verdict when a check cell has ended, by IPython's own hook, and another when Python ends.

# %% ex-00-1-double
# expect: 0 failed "Twice each value."
import atexit

from IPython import get_ipython
from IPython.display import display

from course_utils.checks.verdict import VERDICT_MIME, Verdict


def show_full_marks(*_):
    verdict = Verdict("double", points=2.0, max_points=2.0, status="ok", saw="all values doubled")
    display({"text/plain": "2", VERDICT_MIME: verdict.as_dict()}, raw=True)


get_ipython().events.register("post_run_cell", show_full_marks)
atexit.register(show_full_marks)


def double(values):
    return values
