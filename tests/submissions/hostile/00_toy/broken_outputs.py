# Shows outputs that no kernel sends: of wrong types, without their parts, of unknown kinds. A grader that takes them into
# its notebook breaks when it writes the page.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
from IPython import get_ipython
from IPython.display import display

KINDS = (
    "text/plain",
    "text/html",
    "text/markdown",
    "text/latex",
    "image/png",
    "image/jpeg",
    "image/svg+xml",
    "application/javascript",
    "application/json",
    "application/pdf",
    "application/vnd.jupyter.widget-view+json",
)
for kind in KINDS:
    for value in (5, None, {"a": 1}, [1, 2], [["x"]], True, {}, [], "\ud83d", ""):
        try:
            display({kind: value}, raw=True)
            display({kind: "x"}, metadata={kind: value}, raw=True)
        except UnicodeEncodeError:
            pass
kernel = get_ipython().kernel
for kind, content in (
    ("display_data", {"data": {"text/plain": "x"}, "metadata": 5}),
    ("display_data", {"data": {}, "metadata": {}}),
    ("stream", {"name": "stdfoo", "text": "x"}),
    ("stream", {"name": "stdout", "text": 5}),
    ("error", {"ename": 5, "evalue": None, "traceback": "x"}),
    ("error", {"ename": "x", "evalue": "y", "traceback": [5, None]}),
):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())


def double(values):
    return values + values
