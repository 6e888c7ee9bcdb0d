def generate(seed: int = 0):
    raise NotImplementedError
