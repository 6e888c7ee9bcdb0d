# Returns points, and more than there are.

# %% ex-00-1-double
# expect: 0 failed "shape"
def double(values):
    return 1e9


# %% ex-00-2-ladder
# expect: 3 ok "stands on rung 3 of 3"
def climb():
    return 1e9
