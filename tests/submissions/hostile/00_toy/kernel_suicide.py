# Kills its own kernel in the middle, so that the grader stops.

# %% ex-00-2-ladder
# expect: 0 error "SIGKILL"
import signal


def climb():
    os.kill(os.getpid(), signal.SIGKILL)
