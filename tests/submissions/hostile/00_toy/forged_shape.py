# Leaves an array that says it has a million million numbers, and holds none.

# %% ex-00-1-double
# expect: 0 error "UnreadableObservation"
import base64

from IPython.display import display

from course_utils.checks import framework
import io
import zipfile

import numpy as np

framework.leave = lambda seen: None


def double(values):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("doubled.npy", head.getvalue())
    display({framework.OBSERVATION_MIME: base64.b64encode(file.getvalue()).decode()}, raw=True)


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 3
