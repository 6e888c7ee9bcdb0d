# Asks its own kernel to shut down, by the kernel's own ports and keys.

# %% ex-00-1-double
# expect: 0 error "ended before the notebook did"
import time

from ipykernel.connect import get_connection_file
from jupyter_client import BlockingKernelClient

client = BlockingKernelClient(connection_file=get_connection_file())
client.load_connection_file()
client.start_channels()
client.shutdown()
time.sleep(2)


def double(values):
    return values + values


# %% ex-00-2-ladder
# expect: 0 error "ended before the notebook did"
def climb():
    return 3
