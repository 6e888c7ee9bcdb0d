"""The files around the package say the same things."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name.lower().replace("_", "-"): version for name, version in pairs}


def requirements() -> list[Requirement]:
    extras = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    return [Requirement(text) for text in PROJECT["dependencies"] + extras]


def test_every_requirement_but_spotlight_is_pinned_within_its_range():
    versions = pins()
    for requirement in requirements():
        if requirement.url:
            continue
        assert requirement.name in versions, f"{requirement.name} has no pin in constraints.txt"
        assert requirement.specifier.contains(versions[requirement.name]), f"{requirement} against its pin"


def test_torch_is_pinned_to_the_version_the_course_was_measured_with():
    assert pins()["torch"] == "2.13.0"


def test_conda_environment_installs_this_project_with_the_original_spotlight_and_the_same_pins():
    (pip_lines,) = (entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))
    assert pip_lines == ["-c constraints.txt", "-e .[grading,book,dev,spotlight]"]
    (spotlight,) = (r for r in requirements() if r.name == "spotlight")
    assert re.fullmatch(r"git\+https://github\.com/maciejkula/spotlight\.git@75f4c8c[0-9a-f]{33}", spotlight.url)


def test_conda_environment_has_a_python_that_the_project_allows_and_a_pip_that_builds_spotlight():
    plain = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
    (python,) = (entry.partition("=")[2] for entry in plain if entry.startswith("python="))
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python)
    assert "pip<25.3" in plain
    assert {"setuptools", "wheel"} <= set(plain)


def test_the_makefile_has_every_habit_that_the_readme_names():
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"demo", "test"} <= named <= targets
