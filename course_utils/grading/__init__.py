"""Build, run, record, report: everything between a lesson's source and a student's mark. Never imports torch."""

from course_utils import running  # noqa: F401  first of all, since it makes nbformat quick to import
