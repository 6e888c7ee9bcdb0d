# Shows pictures of 20 MB each, which every feedback page would carry.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
from IPython.display import display

for _ in range(2):
    display({"image/png": "iVBORw0KGgo" + "A" * 20_000_000, "text/plain": "a picture"}, raw=True)


def double(values):
    return values + values
