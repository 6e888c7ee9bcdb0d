# Freezes its own kernel by a signal that cannot be caught, so that nothing answers any more.

# %% ex-00-1-double
# expect: 0 timeout "could not be interrupted"
import signal

os.kill(os.getpid(), signal.SIGSTOP)


# %% ex-00-2-ladder
# expect: 0 timeout "could not be interrupted"
def climb():
    return 3
