# Puts modules of its own into sys.modules, and imports the checks again.

# %% ex-00-1-double
# expect: 0 error "left nothing to judge"
import sys
import types

fake = types.ModuleType("toy_checks")
fake.double = lambda answer: "2 of 2 points"
fake.ladder = lambda answer: 3.0
for name in [name for name in sys.modules if name.startswith(("course_utils", "toy_checks"))]:
    sys.modules[name] = fake
import toy_checks as check


def double(values):
    return values


# %% ex-00-2-ladder
# expect: 0 error "left nothing to judge"
def climb():
    return 0
