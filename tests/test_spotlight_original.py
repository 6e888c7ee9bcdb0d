"""Whether the original Spotlight is there, and why not."""

import sys

import pytest

from course_utils.spotlight.original import why_missing


def test_the_original_is_reported_missing_where_nothing_has_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "spotlight", None)
    assert why_missing().startswith("the original Spotlight is not installed; it comes from git+https://")


@pytest.mark.parametrize("path", ["spotlight/__init__.py", "spotlight/validator.py", "spotlight.py"])
def test_the_reason_names_another_project_called_spotlight(tmp_path, monkeypatch, path):
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("raise RuntimeError('must not be imported')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "spotlight"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    reason = why_missing()
    assert f"installed at {tmp_path / 'spotlight'}" in reason
    assert "another project of that name" in reason
    assert "\n" not in reason
