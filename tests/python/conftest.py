"""Fixtures: a folder to write pipelines in, and a stand-in for the compiled engine."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fake_core
from qanat.errors import QanatError
from qanat.pipelines.load import load
from qanat.pipelines.plan import Pipeline

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of the test: places in messages are relative to it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes a file, dedented, and gives its path."""

    def writing(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return writing


@pytest.fixture
def flow(write: Write) -> Callable[..., Pipeline]:
    """Loads the text of a pipeline file; `import qanat as qn` is its first line."""

    def loading(*parts: str) -> Pipeline:
        text = "".join(textwrap.dedent(part).lstrip("\n") for part in parts)
        return load(write("flow.py", "import qanat as qn\n" + text))

    return loading


@pytest.fixture
def refusal(flow: Callable[..., Pipeline]) -> Callable[[str], str]:
    """The whole message that the text of a pipeline file is refused with."""

    def refused(text: str) -> str:
        with pytest.raises(QanatError) as caught:
            flow(text)
        return str(caught.value)

    return refused


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[fake_core.Engine]]:
    """The stand-in, in the place of qanat._core; its class attributes are the test's to set."""
    monkeypatch.setitem(sys.modules, "qanat._core", fake_core)
    for name in ("steps", "step_s", "failure", "check_failure"):
        monkeypatch.setattr(fake_core.Engine, name, getattr(fake_core.Engine, name))
    yield fake_core.Engine
