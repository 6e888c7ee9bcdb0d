# Returns what is neither more nor less than anything: a share of NaN is not below 1.

# %% ex-00-1-double
# expect: 0 failed "5 of 5 values are NaN"
import numpy as np


def double(values):
    return values * np.nan


# %% ex-00-2-ladder
# expect: 0 failed
def climb():
    return float("nan")
