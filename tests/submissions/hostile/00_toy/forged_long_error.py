# Leaves an observation that reports an error with a text of 16 MB, which tables and pages would carry.

# %% ex-00-1-double
# expect: 0 error "xxx"
import base64

from IPython.display import display

from course_utils.checks import framework
import io

import numpy as np

framework.leave = lambda seen: None


def double(values):
    file = io.BytesIO()
    np.savez_compressed(file, __error__=np.array(["E" * 10, "x" * 2**22, "y" * 10]))
    display({framework.OBSERVATION_MIME: base64.b64encode(file.getvalue()).decode()}, raw=True)


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 3
