"""From a lesson's executed solution to its page in the book, and the facts that its first cell states.

On the page an exercise shows what a student starts from; the answer is folded below it, in an HTML <details> element,
which opens by click, by keyboard and without scripts. What only machines read is left out.
"""

from __future__ import annotations

import re

import nbformat
from nbformat import NotebookNode

from course_utils.checks.verdict import VERDICT_MIME
from course_utils.errors import CourseError
from course_utils.grading.build import SOURCE_KEY
from course_utils.grading.course import Lesson
from course_utils.grading.stage import BEGIN, END

ANSWER = '<details class="answer"><summary>Show one answer</summary>\n\n{}\n\n</details>'
STUB = "raise NotImplementedError"
RUN_IT = """\
```{{admonition}} Run it yourself
:class: run-it

With stubs for you to fill in, this lesson is `notebooks/{name}.ipynb`: `make lab` opens it in JupyterLab, and
`.venv/bin/course check notebooks/{name}.ipynb` says in the terminal what its checks say. What you see here was
computed on `{dataset}`; `.venv/bin/course data {dataset}` fetches it.
```"""

REGION = re.compile(rf"^([ \t]*)[^\n]*{BEGIN}[^\n]*\n.*?^[^\n]*{END}[^\n]*$", re.DOTALL | re.MULTILINE)
MARKER = re.compile(rf"^[^\n]*(?:{BEGIN}|{END})[^\n]*\n?", re.MULTILINE)
FACT = r"^\*\*{}\.?\*\*\s*(.+?)(?=\n\n(?!1\. |- )|\Z)"
"""A paragraph of the first cell that begins with its name in bold, together with a list that follows it."""


def read_executed(lesson: Lesson) -> NotebookNode:
    """The executed pair of the lesson. Raises CourseError if there is none."""
    if not lesson.executed.exists():
        raise CourseError(f"{lesson.executed} is missing; run `course build --execute {lesson.name}`")
    return nbformat.read(lesson.executed, as_version=4)


def lesson_page(executed: NotebookNode, lesson: Lesson) -> NotebookNode:
    """The notebook that the book shows for an executed solution."""
    cells: list[NotebookNode] = []
    heading = ""
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            heading = next(iter(re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)[::-1]), heading)
        cells += shown(cell, heading)
    dataset = executed.metadata[SOURCE_KEY]["dataset"]
    cells.insert(1, markdown(f"{lesson.number}-run-it", RUN_IT.format(name=lesson.name, dataset=dataset)))
    page = nbformat.v4.new_notebook(cells=cells)
    page.metadata.update({key: executed.metadata[key] for key in ("kernelspec", "language_info")})
    return page


def shown(cell: NotebookNode, heading: str) -> list[NotebookNode]:
    """What the page shows for one cell: itself, or a stub and its answer. `heading` describes its figures."""
    if cell.metadata.get("nbgrader", {}).get("solution"):
        if cell.cell_type == "markdown":
            return [markdown(cell.id, ANSWER.format(cell.source))]
        stub = nbformat.v4.new_code_cell(REGION.sub(rf"\1{STUB}", cell.source), id=cell.id)
        answer = MARKER.sub("", cell.source)
        return [stub, markdown(f"{cell.id}-answer", ANSWER.format(f"```python\n{answer.rstrip()}\n```"))]
    if cell.cell_type == "markdown":
        return [markdown(cell.id, cell.source)]
    # A verdict comes twice: as a card, and as the number that nbgrader reads.
    outputs = [o for o in cell.outputs if not (o.output_type == "execute_result" and VERDICT_MIME in o.data)]
    for output in outputs:
        if output.get("data", {}).pop(VERDICT_MIME, None):
            output.data["text/html"] = f'<div class="verdict">{output.data["text/html"]}</div>'
    page_cell = nbformat.v4.new_code_cell(cell.source, id=cell.id, outputs=outputs)
    page_cell.metadata["mystnb"] = {"image": {"alt": f"Figure: {plain(heading)}"}}
    return [page_cell]


def markdown(cell_id: str, source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=cell_id)


def plain(heading: str) -> str:
    """A heading without Markdown's signs."""
    return re.sub(r"[*`$]", "", heading)


def title(executed: NotebookNode) -> str:
    """The lesson's title, without its number."""
    return executed.cells[0].source.splitlines()[0].lstrip("# ").partition("· ")[2]


def fact(executed: NotebookNode, name: str, lesson: Lesson) -> str:
    """What the lesson's first cell says under `name`, e.g. "You need" or "Sources".

    Raises CourseError if it says nothing.
    """
    found = re.search(FACT.format(re.escape(name)), executed.cells[0].source, re.DOTALL | re.MULTILINE)
    if not found:
        raise CourseError(f"{lesson.source}: its first cell has no paragraph that begins with **{name}**")
    return found[1].strip()


def sources(executed: NotebookNode, lesson: Lesson) -> list[str]:
    """The works that the lesson's first cell cites, one each."""
    cited = re.split(r";\s+|(?<=\d{4}\.)\s+(?=[A-Z])", fact(executed, "Sources", lesson))
    return [" ".join(work.rstrip(".").split()) for work in cited]
