# Doubles its processes until the machine has no more.

# %% ex-00-2-ladder
# expect: 0 error "BlockingIOError"
import signal
import time


def climb():
    while True:
        if os.fork() == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            while True:
                try:
                    os.fork()
                except OSError:
                    time.sleep(0.1)
