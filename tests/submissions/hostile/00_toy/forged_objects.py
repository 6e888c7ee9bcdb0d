# Returns arrays of objects, of records and of dates, which only pickles can carry.

# %% ex-00-1-double
# expect: 0 failed "where numbers were expected"
import numpy as np


def double(values):
    return np.array([{"points": 2}] * 5, dtype=object)


# %% ex-00-2-ladder
# expect: 0 failed "could not be judged"
def climb():
    return np.array([(3, 3)], dtype=[("height", "f8"), ("points", "f8")])
