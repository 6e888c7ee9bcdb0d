# Leaves Python within a check, with the exit code of success.

# %% ex-00-2-ladder
# expect: 0 error "ended before the notebook did"
def climb():
    os._exit(0)
