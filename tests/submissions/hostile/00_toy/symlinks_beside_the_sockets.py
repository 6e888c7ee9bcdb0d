# Puts links to the machine's files where its kernel's sockets lie, which the grader removes in the end.

# %% ex-00-2-ladder
# expect: 0 error "Read-only file system"
import glob
import time


def climb():
    (sockets,) = glob.glob("/tmp/*/sockets") + glob.glob("/tmp/**/course-kernel-*/sockets")
    for number, path in enumerate(("/", TARGETS["out"], TARGETS["submitted"])):
        os.symlink(path, f"{sockets}/link-{number}")
    time.sleep(2)
    return 3
