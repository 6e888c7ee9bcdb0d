# Takes all memory, in one process.

# %% ex-00-1-double
# expect: 0 memory "MemoryError"
def double(values):
    held = []
    while True:
        held.append(bytearray(2**28))
