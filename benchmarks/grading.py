"""What a submission costs the grader, and how much memory it takes, as a class grows; beside stock nbgrader.

    python benchmarks/grading.py [--students 40] [--jobs 2] [--sample 40] [--lesson toy]

The toy lesson of the tests (two exercises, NumPy, and an import of torch) does not train, so nearly all that is
measured is overhead: kernels, judging, nbgrader's own recording and the feedback page. A lesson of the course is run
with its full training, on the data set that it names. Ours runs each notebook in a sandbox. Stock `nbgrader autograde`,
followed by `generate_feedback`, grades the first few of the same notebooks one after the other, without one; its marks
are compared with ours. All times are of the wall clock, starting up included; memory is the recording process's,
without its workers. `--sample 0` leaves the rival out.
"""

if __name__ == "__main__":  # the processes of workers import this file, too, and need nothing of it
    from grading_class import main

    main(__doc__)
