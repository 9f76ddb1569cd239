"""One virtual environment a peer, versions pinned, in the cache. Ours is the one that runs the benchmark."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bench.clicks.generate import CACHE
from bench.measure import BenchError

PACKAGES = {
    "polars": ["polars==2.1.0"],
    "duckdb": ["duckdb==2.0.1"],
    "spark": ["pyspark==4.3.0"],
}


def missing(peer: str) -> str:
    """What this machine lacks for a peer; empty when nothing."""
    if peer == "spark" and shutil.which("java") is None:
        return "Spark needs Java 17:  apt-get install openjdk-17-jre-headless"
    return ""


def python_of(peer: str) -> str:
    """The interpreter of a peer's environment, made when it is not there."""
    names = PACKAGES[peer]
    folder = CACHE / "venv" / "-".join(names).replace("==", "-")
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = shutil.which("uv")
        if uv:
            _call([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
            _call([uv, "pip", "install", "--quiet", "--python", str(python), *names])
        else:
            _call([sys.executable, "-m", "venv", str(folder)])
            _call([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *names])
        done.touch()
    return str(python)


def qanat() -> list[str]:
    """The command that runs ours: the one installed beside this interpreter, or the module."""
    beside = Path(sys.executable).with_name("qanat")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "qanat"]


def _call(command: list[str]) -> None:
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise BenchError(f"{' '.join(command)}\n{made.stderr[-2000:]}")
