# Never ends, so that the class waits for it.

# %% ex-00-1-double
# expect: 0 timeout "interrupted after"
def double(values):
    while True:
        pass
