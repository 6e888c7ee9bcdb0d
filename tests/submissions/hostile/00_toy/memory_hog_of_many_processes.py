# Takes all memory by many processes, none of which has much.

# %% ex-00-2-ladder
# expect: 0 memory
import signal
import time


def climb():
    for _ in range(5):
        if os.fork() == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            mine = b"x" * 2**28
            time.sleep(60)
    os.wait()  # one was killed, if not all
    raise MemoryError
