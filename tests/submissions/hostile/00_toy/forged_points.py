# Leaves an observation that holds points in place of values.

# %% ex-00-1-double
# expect: 0 failed "nothing"
import base64

from IPython.display import display

from course_utils.checks import framework
from course_utils.checks.observation import pack

framework.leave = lambda seen: None


def double(values):
    forged = pack({"points": 1e9, "share": 1e9, "status": "ok", "verdict": "full marks", "ok": True})
    display({framework.OBSERVATION_MIME: base64.b64encode(forged).decode()}, raw=True)


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 3
