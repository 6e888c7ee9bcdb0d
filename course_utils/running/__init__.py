"""Run a notebook, whatever is in it, and read what its checks say. Never imports torch."""

import sys

# nbformat imports jsonschema, and that imports this where it is installed, to check addresses that no notebook has:
# more than a second of computing in every process that reads a notebook, because a grammar is compiled each time.
sys.modules.setdefault("rfc3987_syntax", None)
