"""Rivals, from the global mean to linear models that are hard to beat, and the results recorded of all of them."""
