"""Dull rivals: models without latent factors, and the recorded results that lessons and checks compare with."""
