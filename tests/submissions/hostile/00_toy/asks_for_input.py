# Waits for somebody to type something, which nobody does.

# %% ex-00-1-double
# expect: 0 error "StdinNotImplementedError"
def double(values):
    return float(input("What is twice that? ")) * values
