# Starts threads until the machine has no more.

# %% ex-00-1-double
# expect: 0 error "can't start new thread"
import threading
import time


def double(values):
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
