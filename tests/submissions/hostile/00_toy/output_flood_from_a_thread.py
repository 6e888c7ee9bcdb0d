# Goes on printing from a thread when its cell has ended.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
import threading
import time


def flood():
    while True:
        print("flood " * 10_000)
        time.sleep(0.005)


threading.Thread(target=flood, daemon=True).start()


def double(values):
    return values + values
