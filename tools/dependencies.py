"""Prints what the package needs to run, one requirement a word, from pyproject.toml: the one place that says it."""

import pathlib
import shlex
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    print(" ".join(shlex.quote(need).strip("'") for need in project["dependencies"]))
