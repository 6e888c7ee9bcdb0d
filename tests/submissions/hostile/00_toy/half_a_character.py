# Raises an error whose text no file can hold: half a character, and others that end lines and pages.

# %% ex-00-1-double
# expect: 0 error "ValueError"
def double(values):
    raise ValueError("half a character: \ud83d, and \x00\x1b[2J\x85\u2028\u202e")


# %% ex-00-2-ladder
# expect: 0 error "KeyError"
def climb():
    raise KeyError("\udfff")
