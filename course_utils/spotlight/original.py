"""Whether the original Spotlight is here, for the tests and benchmarks that compare our implementation with it.

It is not on the package index: the name `spotlight` there belongs to a data-validation library.
"""

from importlib.util import find_spec
from pathlib import Path

SOURCE = "git+https://github.com/maciejkula/spotlight.git@75f4c8c55090771b52b88ef1a00f75bb39f9f2a9"


def why_missing() -> str | None:
    """One sentence that says why the original cannot be imported, or None if it can. Imports nothing."""
    spec = find_spec("spotlight")
    if spec is None:
        return f"the original Spotlight is not installed; it comes from {SOURCE}"
    folders = list(spec.submodule_search_locations or [])
    if not any((Path(folder) / "factorization").is_dir() for folder in folders):
        return (
            f"the `spotlight` installed at {spec.origin or folders[0]} is not the recommender library but another "
            f"project of that name; uninstall it and install {SOURCE}"
        )
    return None
