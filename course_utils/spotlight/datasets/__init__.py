"""Data sets as Interactions: MovieLens, and sequences of a made-up Markov chain."""
