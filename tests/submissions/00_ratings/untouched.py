# Someone who hands in the notebook as it came.
# rest: stub
