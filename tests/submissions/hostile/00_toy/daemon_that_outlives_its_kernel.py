# Leaves a process behind that goes on after its kernel has ended, in a session of its own, deaf to signals.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
import signal
import subprocess

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_IGN)
        subprocess.run(["sleep", TARGETS["sleep"]])
    os._exit(0)
os.wait()


def double(values):
    return values + values
