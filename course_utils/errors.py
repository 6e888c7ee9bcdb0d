"""What we expect to go wrong, and say in one line."""


class CourseError(Exception):
    """What went wrong and what to do about it, in one clear line (several problems: one line each).

    A notebook shows it without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]
