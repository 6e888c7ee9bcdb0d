"""`check.progress()`: how far a student has come through the course, and what to do next.

Nothing is written down for it: notebooks keep the verdicts of their checks, and this process those that it has given.
"""

from __future__ import annotations

import os
from pathlib import Path

from course_utils.checks.framework import WORLDS_VARIABLE
from course_utils.checks.notebook import in_notebook
from course_utils.checks.progress_card import as_html, as_text
from course_utils.checks.progress_reading import read_lessons


def progress(folder: str = ".") -> None:
    """Show points, ladders and what to do next, over all lessons whose notebooks lie in `folder`.

    In a terminal it is printed. Under a grader nothing is shown: there is no progress to look at.
    """
    if WORLDS_VARIABLE in os.environ:
        return
    lessons, notes = read_lessons(Path(folder))
    place = str(Path(folder).resolve())
    if in_notebook():
        from IPython.display import display

        display({"text/html": as_html(lessons, notes, place), "text/plain": as_text(lessons, notes, place)}, raw=True)
    else:
        print(as_text(lessons, notes, place))
