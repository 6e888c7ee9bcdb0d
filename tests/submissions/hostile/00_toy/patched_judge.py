# Puts a judge that accepts everything in place of the check's own, and judges on the spot.

# %% ex-00-1-double
# expect: 0 error "left nothing to judge"
from course_utils.checks import framework
from course_utils.checks.expect import Finding

os.environ.pop(framework.WORLDS_VARIABLE)
check.double._judge = lambda seen, world: Finding(1, saw="all values doubled")
check.double.points = 1e9


def double(values):
    return values


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 3
