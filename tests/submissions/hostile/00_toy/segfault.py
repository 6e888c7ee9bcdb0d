# Crashes the interpreter.

# %% ex-00-2-ladder
# expect: 0 error "SIGSEGV"
import ctypes


def climb():
    ctypes.string_at(0)
