# Takes all memory as shared memory, which no limit on a process's own memory counts.

# %% ex-00-2-ladder
# expect: 0 memory "more than"
import mmap


def climb():
    shared, block = mmap.mmap(-1, 2**33), b"x" * 2**26
    while True:
        shared.write(block)
