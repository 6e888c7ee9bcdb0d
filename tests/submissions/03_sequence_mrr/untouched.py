# Someone who handed in the student edition as it came.
# rest: stub
