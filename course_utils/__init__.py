"""Helper package of the recommender course: data, baselines, checks and grading.

Importing it pins the numeric libraries to one thread a process, unless the environment already says otherwise:
on shared cores a second thread gains nothing here and can cost a factor of twenty.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
