"""What the book's pages are made of, before Sphinx sees them."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.book.docstrings import as_rest
from course_utils.book.pages import fact, lesson_page, sources, title
from course_utils.book.site import contents, gather
from course_utils.checks.verdict import VERDICT_MIME, Verdict
from course_utils.errors import CourseError
from course_utils.grading.course import Lesson, find_course
from course_utils.grading.stage import KERNELSPEC

SOLUTION = {"grade": False, "grade_id": "ex-07-1-double", "locked": False, "schema_version": 3, "solution": True}
OPENING = """\
# 07 · Doubling: twice as much

**The question.** What is twice a number?

**Afterwards you can**

1. double;
2. halve.

**You need** lesson 00
and patience.

**Sources** Euclid, *Elements* (300 BC); Gauss, *Disquisitiones* (1801), section 1.

Each exercise is one cell to fill in."""
ANSWER = '''\
class Doubler:
    """Doubles."""

    def __init__(self, by: int) -> None:
        ### BEGIN SOLUTION
        self.by = by
        self.unused = None
        ### END SOLUTION

    def __call__(self, x: int) -> int:
        ### BEGIN SOLUTION
        return self.by * x
        ### END SOLUTION'''


@pytest.fixture
def lesson(tmp_path) -> Lesson:
    return Lesson("07_doubling", tmp_path / "07_doubling.py")


@pytest.fixture
def executed():
    verdict = Verdict("double", 1, 1, "ok", saw="all doubled")
    shown = {"text/html": verdict.card(), "text/plain": str(verdict), VERDICT_MIME: verdict.as_dict()}
    cells = [
        new_markdown_cell(OPENING),
        new_markdown_cell("## Two of *everything*"),
        new_code_cell(ANSWER, metadata={"nbgrader": SOLUTION}),
        new_code_cell(
            "check.double(Doubler)",
            outputs=[
                new_output("display_data", shown),
                new_output("execute_result", verdict._repr_mimebundle_(), execution_count=1),
            ],
            metadata={"nbgrader": SOLUTION | {"grade": True, "solution": False}},
        ),
        new_markdown_cell("Because it is.", metadata={"nbgrader": SOLUTION | {"grade": True}}),
    ]
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}, "course": {"dataset": "tiny"}}
    return new_notebook(cells=cells, metadata=metadata)


def test_an_exercise_shows_its_stub_and_folds_a_whole_answer_without_markers(executed, lesson):
    stub, answer = lesson_page(executed, lesson).cells[3:5]
    first, second = stub.source.split("\n\n    def __call__")
    assert first.endswith("def __init__(self, by: int) -> None:\n        raise NotImplementedError")
    assert second == "(self, x: int) -> int:\n        raise NotImplementedError"
    assert answer.source.startswith('<details class="answer"><summary>Show one answer</summary>\n\n```python\nclass')
    assert "        self.unused = None\n\n    def __call__" in answer.source
    assert "return self.by * x\n```\n\n</details>" in answer.source


def test_no_page_shows_what_only_nbgrader_reads(executed, lesson):
    page = nbformat.writes(lesson_page(executed, lesson))
    assert "nbgrader" not in page
    assert "SOLUTION" not in page


def test_a_check_shows_its_card_once_and_not_the_number_below_it(executed, lesson):
    (check,) = (cell for cell in lesson_page(executed, lesson).cells if cell.source.startswith("check."))
    (output,) = check.outputs
    assert output.data["text/html"].startswith('<div class="verdict"><div')
    assert "1 of 1 point" in output.data["text/html"]
    assert VERDICT_MIME not in output.data


def test_a_model_answer_in_words_is_folded(executed, lesson):
    last = lesson_page(executed, lesson).cells[-1]
    assert last.source == '<details class="answer"><summary>Show one answer</summary>\n\nBecause it is.\n\n</details>'


def test_figures_are_described_by_the_heading_above_them(executed, lesson):
    (check,) = (cell for cell in lesson_page(executed, lesson).cells if cell.source.startswith("check."))
    assert check.metadata["mystnb"]["image"]["alt"] == "Figure: Two of everything"


def test_below_its_opening_a_lesson_says_how_to_run_it(executed, lesson):
    said = lesson_page(executed, lesson).cells[1].source
    assert "make lab" in said
    assert "course check notebooks/07_doubling.ipynb" in said
    assert "`tiny`" in said


def test_facts_end_where_their_paragraph_or_list_does(executed, lesson):
    assert title(executed) == "Doubling: twice as much"
    assert fact(executed, "The question", lesson) == "What is twice a number?"
    assert fact(executed, "Afterwards you can", lesson) == "1. double;\n2. halve."
    assert fact(executed, "You need", lesson) == "lesson 00\nand patience."


def test_works_cited_are_told_apart_by_semicolons_and_by_sentences_that_end_in_a_year(executed, lesson):
    assert sources(executed, lesson) == ["Euclid, *Elements* (300 BC)", "Gauss, *Disquisitiones* (1801), section 1"]
    executed.cells[0].source = "# 1 · T\n\n**Sources.** A. Ada, B,\n2015. C. Curie, D, 2009, for the rest."
    assert sources(executed, lesson) == ["A. Ada, B, 2015", "C. Curie, D, 2009, for the rest"]


def test_a_lesson_whose_opening_lacks_a_paragraph_is_named(executed, lesson):
    with pytest.raises(CourseError, match=r"07_doubling\.py: .* \*\*Data\*\*"):
        fact(executed, "Data", lesson)


def test_every_lesson_has_a_page_and_a_line_in_the_map():
    course = find_course()
    files = contents(course)
    for lesson in course.lessons:
        assert f"lessons/{lesson.name}.ipynb" in files
        for piece in ("map", "abilities", "needs", "references"):
            assert f"(/lessons/{lesson.name}.ipynb)" in files[f"generated/{piece}.md"].decode(), (lesson.name, piece)


def test_no_answer_of_a_lesson_stands_outside_a_fold():
    for name, data in contents(find_course()).items():
        if name.startswith("lessons/"):
            cells = nbformat.reads(data.decode(), as_version=4).cells
            folded = [n for n, cell in enumerate(cells) if "Show one answer" in cell.source]
            stubs = [n for n, cell in enumerate(cells) if cell.source.rstrip().endswith("raise NotImplementedError")]
            assert len(folded) > len(stubs) > 0, name  # the answers in words have no stub
            assert all(n + 1 in folded for n in stubs), name


def test_gathering_again_writes_nothing_and_removes_what_is_not_wanted(tmp_path):
    course = find_course()
    gather(course, tmp_path)
    page = tmp_path / "index.md"
    before = page.stat().st_mtime_ns
    (tmp_path / "lessons" / "99_gone.ipynb").write_text("{}")
    gather(course, tmp_path)
    assert page.stat().st_mtime_ns == before
    assert not (tmp_path / "lessons" / "99_gone.ipynb").exists()


def test_columns_of_a_docstring_stay_columns():
    lines = ["Errors in stars.", "", "scores   (B,) float", "returns  float, in", "         stars"]
    block = [".. code-block:: none", "   :class: columns", "", "   scores   (B,) float", "   returns  float, in"]
    assert as_rest(lines) == ["Errors in stars.", "", *block, "            stars", ""]


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        pytest.param("a * b and *args", r"a \* b and \*args", id="asterisks"),
        pytest.param("user_ids_ or |x|", r"user\_ids\_ or \|x\|", id="underscores and bars"),
        pytest.param("calls `fit_all`.", r"calls \ ``fit_all``\ .", id="code"),
        pytest.param("a lone ` stays", r"a lone \` stays", id="lone backtick"),
        pytest.param("- an item", "- an item", id="list"),
    ],
)
def test_nothing_in_a_docstring_is_taken_for_markup(line, rest):
    assert as_rest([line]) == [rest, ""]
