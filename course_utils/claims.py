"""Figures that a lesson's text states, held against what its code has just computed.

Where the course is built, a text that no longer holds is an error. Where a student works, the same cell may stand on
the student's own code, with other figures for good reasons: there a difference is said in one line, and nothing stops.
"""

import os


def claim(holds: bool, text: str) -> None:
    """State that the text's figures hold.

    holds   whether they do
    text    what the lesson says, e.g. "the test RMSE ends below 0.915"
    raises  AssertionError with the text if they do not, and the environment has COURSE_CLAIMS=strict
    """
    if holds:
        return
    if os.environ.get("COURSE_CLAIMS") == "strict":
        raise AssertionError(f"the text says that {text}")
    print(f"Your run differs from the text, which says that {text}.")
    print("Is a setting, or an answer above, another one than the text's?")
