"""Build, run, record, report: everything between a lesson's source and a student's mark. Never imports torch."""
