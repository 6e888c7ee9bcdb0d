# Puts an object that gives full marks in place of the checks.

# %% ex-00-1-double
# expect: 0 error "left nothing to judge"
from course_utils.checks.verdict import Verdict


class Generous:
    def __getattr__(self, name):
        return lambda *answers: Verdict(name, points=1e9, max_points=2.0, status="ok", saw="full marks")


check = Generous()


def double(values):
    return values


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 0
