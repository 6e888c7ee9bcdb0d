"""The checks of the exercises: one module a lesson, over one framework (probe, judge, world, verdict)."""
