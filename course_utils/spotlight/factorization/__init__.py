"""Factorization models: a score is a product of a user's and an item's vector, plus their biases."""
