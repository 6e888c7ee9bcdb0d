# Prints 100 MB, so that the grader runs out of memory, or the gradebook grows.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
def double(values):
    for _ in range(100):
        print("x" * 2**20)
    return values + values
