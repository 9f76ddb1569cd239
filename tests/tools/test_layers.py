"""A house of a few files, sound at first; each test breaks one rule and reads the complaint."""

import pathlib
from collections.abc import Callable

import pytest

import layers

RULES = """
[limits]
lines = 20
"core/run" = 5
bad_names = ["utils"]
[core]
"base" = []
"data" = ["base"]
"run" = ["base", "data"]
"app" = ["*"]
[outside]
"zlib.h" = ["data"]
"gtest/*" = ["*_test"]
"Python.h" = []
[words]
"core/run" = ["kafka"]
[python]
"__init__" = ["*"]
"pipelines" = ["errors"]
"errors" = []
"cli" = ["pipelines", "errors", "_core"]
[python_outside]
"pyarrow" = ["cli"]
"""
SOUND = {
    "tools/layers.toml": RULES,
    "core/base/status.h": "#include <string>\n",
    "core/data/row.h": '#include <zlib.h>\n#include "base/status.h"\n#include "data/other.h"\n',
    "core/data/other.h": "",
    "core/data/row_test.cc": '#include <gtest/gtest.h>\n#include "data/row.h"\n',
    "core/run/step.cc": '#include "data/row.h"\n',
    "core/app/all.cc": '#include "run/step.cc"\n',
    "python/qanat/__init__.py": "from qanat.pipelines import table\n",
    "python/qanat/errors.py": "import os\n",
    "python/qanat/pipelines/__init__.py": "from qanat.errors import QanatError\nfrom . import table\n",
    "python/qanat/pipelines/table.py": "from ..errors import QanatError\n",
    "python/qanat/cli/main.py": "from qanat import _core, pipelines\nimport pyarrow.parquet\n",
}
House = Callable[..., list[str]]


@pytest.fixture
def house(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> House:
    """Lays the sound house with these changes (None removes a file) and returns the complaints."""

    def lay(changes: dict[str, str | None]) -> list[str]:
        for name, text in {**SOUND, **changes}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text, encoding="utf-8")
        code = layers.main(tmp_path)
        lines = capsys.readouterr().out.splitlines()
        assert code == (0 if lines[-1].endswith("files in their layers") else 1)
        return [] if code == 0 else lines

    return lay


def test_a_sound_house_passes(house: House) -> None:
    assert house({}) == []


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        (
            "core/base/status.h",
            '\n#include "data/row.h"',
            'core/base/status.h:2: base may not include data ("data/row.h")',
        ),
        (
            "core/data/row.h",
            '# include "run/step.cc"',
            'core/data/row.h:1: data may not include run ("run/step.cc")',
        ),
        (
            "core/data/row.h",
            "#include <run/step.cc>",
            'core/data/row.h:1: data may not include run ("run/step.cc")',
        ),
        (
            "core/data/row.h",
            '#include "../base/status.h"',
            'core/data/row.h:1: "../base/status.h" is not a file below core/; '
            'write includes from there: "base/status.h"',
        ),
        (
            "core/base/status.h",
            "#include <zlib.h>",
            "core/base/status.h:1: base may not use <zlib.h>; allowed: data",
        ),
        (
            "core/data/row.h",
            "#include <gtest/gtest.h>",
            "core/data/row.h:1: data may not use <gtest/gtest.h>; allowed: *_test",
        ),
        (
            "core/data/row.h",
            "#include <Python.h>",
            "core/data/row.h:1: data may not use <Python.h>; allowed: nowhere",
        ),
        ("core/new/a.h", "", "core/new: is not in layers.toml"),
        (
            "core/data/utils.h",
            "",
            "core/data/utils.h: 'utils' says nothing; name the one thing that is in it",
        ),
        (
            "python/qanat/cli/utils.py",
            "",
            "python/qanat/cli/utils.py: 'utils' says nothing; name the one thing that is in it",
        ),
        (
            "core/data/row.h",
            "\n" * 21,
            "core/data/row.h:21: 21 lines, at most 20: which two ideas are in it?",
        ),
        ("core/run/step.cc", "\n" * 6, "core/run/step.cc:6: 6 lines, at most 5: which two ideas are in it?"),
        (
            "core/run/step.cc",
            "\n// as Kafka does",
            "core/run/step.cc:2: names a product ('kafka'); core/run knows contracts only",
        ),
        (
            "python/qanat/errors.py",
            "def f():\n    import qanat.cli.main",
            "python/qanat/errors.py:2: qanat.errors may not import qanat.cli",
        ),
        (
            "python/qanat/pipelines/table.py",
            "from .. import _core",
            "python/qanat/pipelines/table.py:1: qanat.pipelines may not import qanat._core",
        ),
        (
            "python/qanat/pipelines/table.py",
            "from ..cli import main",
            "python/qanat/pipelines/table.py:1: qanat.pipelines may not import qanat.cli",
        ),
        (
            "python/qanat/errors.py",
            "from pyarrow import lib",
            "python/qanat/errors.py:1: qanat.errors may not import pyarrow",
        ),
        (
            "python/qanat/errors.py",
            'def f():\n    return importlib.import_module("qanat._core")',
            "python/qanat/errors.py:2: qanat.errors may not import qanat._core",
        ),
        ("python/qanat/lake.py", "", "python/qanat/lake.py: qanat.lake is not in layers.toml"),
    ],
)
def test_each_breach_is_named(house: House, file: str, text: str, complaint: str) -> None:
    assert house({file: text}) == [complaint]


def test_a_test_may_be_longer_than_the_coordinator(house: House) -> None:
    assert house({"core/run/step_test.cc": "\n" * 20}) == []


def test_a_folder_that_went_must_leave_the_rules_too(house: House) -> None:
    assert house({"core/app/all.cc": None}) == ["core/app: is in layers.toml, but has no files"]
