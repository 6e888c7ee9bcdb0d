# Leaves an observation with a pickle that runs a command in the grader when it is read.

# %% ex-00-1-double
# expect: 0 error "allow_pickle=False"
import base64

from IPython.display import display

from course_utils.checks import framework
import io

import numpy as np

framework.leave = lambda seen: None
targets = TARGETS


class Command:
    def __reduce__(self):
        return os.system, ("touch " + " ".join(os.path.join(folder, targets["mark"]) for folder in targets["folders"]),)


def double(values):
    file = io.BytesIO()
    np.savez(file, doubled=np.array([Command()], dtype=object))
    display({framework.OBSERVATION_MIME: base64.b64encode(file.getvalue()).decode()}, raw=True)


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 3
