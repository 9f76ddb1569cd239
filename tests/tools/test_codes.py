"""Codes and their entries: each test breaks one rule and reads the complaint."""

import pathlib
from collections.abc import Callable

import pytest

import codes

ENTRY = 'title = "t"\nwhat = "w"\ndo = "d"\nexample = "e"\n'
SOUND = {
    "core/base/a.cc": 'Failed("QN-1001", "x");\n',
    "core/base/a_test.cc": '"QN-7777"\n',
    "python/qanat/a.py": 'raise E("QN-1002")\n',
    "spec/errors.d/a.toml": f"[QN-1001]\n{ENTRY}",
    "spec/errors.d/b.toml": f"[QN-1002]\n{ENTRY}",
}
Tree = Callable[[dict[str, str]], list[str]]


@pytest.fixture
def tree(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> Tree:
    """Lays the sound tree with these changes and returns the complaints."""

    def lay(changes: dict[str, str]) -> list[str]:
        for name, text in {**SOUND, **changes}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        code = codes.main(tmp_path)
        lines = capsys.readouterr().out.splitlines()
        assert code == (0 if lines == ["2 error codes, each with its entry"] else 1)
        return [] if code == 0 else lines

    return lay


def test_a_sound_tree_passes_and_tests_do_not_count(tree: Tree) -> None:
    assert tree({}) == []


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("core/run/b.h", "\n// see QN-1003\n", "core/run/b.h:2: QN-1003 has no entry in spec/errors.d/"),
        ("spec/errors.d/c.toml", f"[QN-1004]\n{ENTRY}", "spec/errors.d/c.toml: QN-1004 is printed nowhere"),
        (
            "spec/errors.d/c.toml",
            f"[QN-1001]\n{ENTRY}",
            "spec/errors.d/c.toml: QN-1001 is in spec/errors.d/a.toml already",
        ),
        (
            "spec/errors.d/c.toml",
            f"[QN-10]\n{ENTRY}",
            "spec/errors.d/c.toml: 'QN-10' is not a code: QN- and four digits",
        ),
        (
            "spec/errors.d/b.toml",
            "[QN-1002]\n" + ENTRY.replace("do =", "does ="),
            "spec/errors.d/b.toml: QN-1002 has no 'do'",
        ),
        (
            "spec/errors.d/b.toml",
            "[QN-1002]\n" + ENTRY.replace('"t"', '" "'),
            "spec/errors.d/b.toml: QN-1002 has no 'title'",
        ),
    ],
)
def test_each_breach_is_named(tree: Tree, file: str, text: str, complaint: str) -> None:
    assert complaint in tree({file: text})
