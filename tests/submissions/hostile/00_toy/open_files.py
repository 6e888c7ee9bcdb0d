# Opens files until the machine can open no more.

# %% ex-00-1-double
# expect: 0 error "Too many open files"
def double(values):
    held = []
    while True:
        held.append(open("/dev/null"))
