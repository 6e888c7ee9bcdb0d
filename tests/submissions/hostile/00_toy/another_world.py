# Puts a world of its own, in which nothing is right, in place of the grader's.

# %% ex-00-1-double
# expect: 0 failed "Twice each value."
import pathlib

import numpy as np

from course_utils.checks.framework import WORLDS_VARIABLE, World

folder = os.environ[WORLDS_VARIABLE]
easy = World({"values": np.zeros(5)}).pack_public(1)
for place in (folder, "worlds"):
    try:
        pathlib.Path(place).mkdir(exist_ok=True)
        pathlib.Path(place, "toy_checks.double.npz").write_bytes(easy)
        os.environ[WORLDS_VARIABLE] = str(pathlib.Path(place).resolve())
    except OSError:
        pass
for name in os.listdir(folder):
    pathlib.Path("worlds", name).exists() or pathlib.Path("worlds", name).symlink_to(pathlib.Path(folder, name))


def double(values):
    return values
