# Raises what ends a program, within a check.

# %% ex-00-1-double
# expect: 0 error "SystemExit"
def double(values):
    raise SystemExit(0)
