# Writes into every folder that it knows by name: the system, Python, the course, the submissions, the marks.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
def double(values):
    for folder in TARGETS["folders"]:
        try:
            with open(os.path.join(folder, TARGETS["mark"]), "w") as file:
                file.write("was here")
        except OSError:
            pass
    return values + values
