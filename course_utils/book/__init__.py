"""The book: a site that is read in a browser, made from the executed solutions, the guides and the docstrings."""
