"""Spotlight's public surface under our own code: the same module, class and keyword names, defaults and numbers.

Code written for Spotlight 0.1.6 (github.com/maciejkula/spotlight, commit 75f4c8c) runs with `spotlight` replaced by
`course_utils.spotlight` in its import lines, and draws the same random numbers from the same RandomState. So far there
are the interactions, both splits, the explicit factorization model and rmse_score. What differs:

- The global generator of torch is left alone; Spotlight reseeds it whenever a model is constructed.
- random_state may also be an int; Spotlight accepts a numpy.random.RandomState only.
- A last batch of one row, and predicting one pair, work; negative ids and arrays of different lengths are refused.
"""
