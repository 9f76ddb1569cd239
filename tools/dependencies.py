"""Prints what the package needs to run, a word each, from pyproject.toml: the one place that says it."""

import pathlib
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    print(" ".join(need.replace(" ", "") for need in project["dependencies"]))
