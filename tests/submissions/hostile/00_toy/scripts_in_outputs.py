# Shows outputs that would run a script in the browser of whoever reads the feedback: in HTML, SVG, JavaScript, Markdown,
# LaTeX, a picture's size, a widget.

# %% ex-00-1-double
# expect: 2 ok "all values doubled"
from IPython.display import display

SCRIPT = "<script>alert('owned')</script>"
for kind in ("text/html", "image/svg+xml", "text/markdown", "text/latex", "text/plain"):
    display(
        {
            kind: f"{SCRIPT}<img src=x onerror=alert('owned')><svg onload=alert('owned')><a href='javascript:alert(1)'>x</a>"
        },
        raw=True,
    )
display({"application/javascript": "alert('owned')"}, raw=True)
display({"image/png": "x\" onerror=\"alert('owned')"}, raw=True)
display(
    {"image/png": "x"},
    metadata={"image/png": {"width": "1 onerror=alert('owned')", "height": "1 onload=alert('owned')"}},
    raw=True,
)
display(
    {"image/jpeg": "x"},
    metadata={
        "image/jpeg": {"width": "1 onerror=alert('owned')"},
        "filenames": {"image/jpeg": "javascript:alert('owned')"},
    },
    raw=True,
)
display({"text/html": SCRIPT}, metadata={"text/html": {"isolated": True}}, raw=True)
print(SCRIPT, "\x1b[31m", SCRIPT)


class Error(Exception):
    def _render_traceback_(self):
        return [SCRIPT]


def double(values):
    print(SCRIPT)
    return values + values


raise Error(SCRIPT)
