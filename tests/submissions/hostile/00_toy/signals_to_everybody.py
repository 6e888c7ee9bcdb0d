# Sends signals that kill to its parent, to its process group, to process 1, to the grader and to all there are.

# %% ex-00-2-ladder
# expect: 0 error "SIGKILL"
import signal


def climb():
    for pid in (os.getppid(), TARGETS["grader"], *TARGETS["others"], 1, -1):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return 3
