# Returns arrays that hold something else each time somebody looks at them.

# %% ex-00-1-double
# expect: 0 failed "Twice each value."
import numpy as np


class Array(np.ndarray):
    def __eq__(self, other):
        return np.ones(5, dtype=bool)

    def astype(self, *_, **__):
        return self

    def __array_function__(self, *_):
        return np.ones(5, dtype=bool)


class Changing:
    looks = 0

    def __array__(self, *_, **__):
        Changing.looks += 1
        return np.full(5, float(Changing.looks)).view(Array)


def double(values):
    return Changing()
