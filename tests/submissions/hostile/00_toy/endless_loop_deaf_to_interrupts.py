# Never ends, and swallows the interrupt that should end it.

# %% ex-00-1-double
# expect: 0 timeout "could not be interrupted"
import time

while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass


# %% ex-00-2-ladder
# expect: 0 timeout "could not be interrupted"
def climb():
    return 3
