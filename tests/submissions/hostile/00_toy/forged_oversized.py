# Leaves an observation of 100 MB, so that the grader runs out of memory.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
import base64

from IPython.display import display

from course_utils.checks import framework


def double(values):
    display({framework.OBSERVATION_MIME: "A" * 100_000_000}, raw=True)
    return values + values
