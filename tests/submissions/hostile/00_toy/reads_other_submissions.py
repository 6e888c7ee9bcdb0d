# Copies the best work of the class.

# %% ex-00-1-double
# expect: 0 error "FileNotFoundError"
def look_into(path):
    """All that can be read there."""
    if os.path.isdir(path):
        for name in os.listdir(path):
            look_into(os.path.join(path, name))
    else:
        with open(path, "rb") as file:
            print(path, file.read(2**16))


def double(values):
    look_into(TARGETS["submitted"])
    return values + values
