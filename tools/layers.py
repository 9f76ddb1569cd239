"""Keeps the house in its layers: refuses an include, an import, a folder, a length that layers.toml forbids.

`layers.py [ROOT]` prints one line a breach, `file:line: what`, and exits 1 when there is one.
"""

import ast
import fnmatch
import pathlib
import re
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
Rules = dict[str, Any]


def core_files(root: pathlib.Path) -> list[pathlib.Path]:
    """Every C++ file below core/."""
    return sorted(p for p in (root / "core").rglob("*") if p.suffix in {".h", ".cc"})


def python_files(root: pathlib.Path) -> list[pathlib.Path]:
    """Every Python file of the package."""
    return sorted((root / "python/qanat").rglob("*.py")) + sorted((root / "python/qanat").rglob("*.pyi"))


def includes(path: pathlib.Path) -> Iterator[tuple[int, str, str]]:
    """Line, opening character (`"` or `<`) and target of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := INCLUDE.match(line):
            yield number, found[1], found[2]


def check_include(root: pathlib.Path, path: pathlib.Path, rules: Rules) -> Iterator[str]:
    """Arrows between folders of core/, and outside libraries."""
    folder = path.parent.relative_to(root / "core").as_posix()
    allowed = rules["core"].get(folder)
    if allowed is None:
        return  # said once a folder, by check_folders
    for line, mark, target in includes(path):
        where = f"{path.relative_to(root)}:{line}"
        to = pathlib.PurePosixPath(target).parent.as_posix()
        if (root / "core" / target).exists():
            if to != folder and to not in allowed and "*" not in allowed:
                yield f'{where}: {folder} may not include {to} ("{target}")'
        elif mark == '"':
            yield from check_quoted(root, path, where, target, rules)
        else:
            yield from check_outside(path, folder, where, target, rules)


def check_quoted(
    root: pathlib.Path, path: pathlib.Path, where: str, target: str, rules: Rules
) -> Iterator[str]:
    """A quoted include that is not below core/: an outside library, or a path that is not from core/."""
    if any(fnmatch.fnmatch(target, pattern) for pattern in rules["outside"]):
        folder = path.parent.relative_to(root / "core").as_posix()
        yield from check_outside(path, folder, where, target, rules)
    else:
        yield f'{where}: "{target}" is not a file below core/; write includes from there: "base/status.h"'


def check_outside(path: pathlib.Path, folder: str, where: str, target: str, rules: Rules) -> Iterator[str]:
    """An outside library belongs to the folders that layers.toml gives it."""
    for pattern, folders in rules["outside"].items():
        if fnmatch.fnmatch(target, pattern):
            if folder not in folders and not any(fnmatch.fnmatch(path.stem, f) for f in folders):
                yield f"{where}: {folder} may not use <{target}>; allowed: {', '.join(folders) or 'nowhere'}"
            return


def check_folders(root: pathlib.Path, rules: Rules) -> Iterator[str]:
    """Folders on disk and in layers.toml are the same ones, and none is a drawer for everything."""
    there = {p.parent.relative_to(root / "core").as_posix() for p in core_files(root)}
    for folder in sorted(there - set(rules["core"])):
        yield f"core/{folder}: is not in layers.toml"
    for folder in sorted(set(rules["core"]) - there):
        yield f"core/{folder}: is in layers.toml, but has no files"
    for path in [*core_files(root), *python_files(root)]:
        parts = path.relative_to(root).with_suffix("").parts
        for bad in set(parts) & set(rules["limits"]["bad_names"]):
            yield f"{path.relative_to(root)}: '{bad}' says nothing; name the one thing that is in it"


def check_length(root: pathlib.Path, path: pathlib.Path, rules: Rules) -> Iterator[str]:
    """One idea a file."""
    name = path.relative_to(root).as_posix()
    limits = rules["limits"]
    closer = (n for f, n in limits.items() if "/" in f and name.startswith(f + "/"))
    most = limits["lines"] if path.stem.endswith("_test") else next(closer, limits["lines"])
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > most:
        yield f"{name}:{lines}: {lines} lines, at most {most}: which two ideas are in it?"


def check_words(root: pathlib.Path, path: pathlib.Path, rules: Rules) -> Iterator[str]:
    """No product's name where only contracts are known."""
    name = path.relative_to(root).as_posix()
    for folder, words in rules["words"].items():
        if not name.startswith(folder + "/"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for word in words:
                if word in line.lower():
                    yield f"{name}:{number}: names a product ('{word}'); {folder} knows contracts only"


def unit_of(root: pathlib.Path, path: pathlib.Path) -> str:
    """The first name below python/qanat: a module or a folder."""
    return path.relative_to(root / "python/qanat").with_suffix("").parts[0]


def imports(root: pathlib.Path, path: pathlib.Path) -> Iterator[tuple[int, str]]:
    """Line and full module name of each import; `from qanat import x` counts as qanat.x."""
    package = ["qanat", *path.relative_to(root / "python/qanat").parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from ((node.lineno, arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = [*base, *(node.module or "").split(".")]
            name = ".".join(part for part in full if part)
            if name == "qanat":
                for alias in node.names:
                    yield node.lineno, f"qanat.{alias.name}"
            else:
                yield node.lineno, name


def check_import(root: pathlib.Path, path: pathlib.Path, rules: Rules) -> Iterator[str]:
    """Arrows between the parts of the package, and outside packages that only some may load."""
    unit = unit_of(root, path)
    allowed = rules["python"].get(unit)
    if allowed is None:
        yield f"{path.relative_to(root)}: qanat.{unit} is not in layers.toml"
        return
    for line, name in imports(root, path):
        where = f"{path.relative_to(root)}:{line}"
        top, *rest = name.split(".")
        if top == "qanat":
            to = rest[0] if rest else "__init__"
            if to != unit and to not in allowed and "*" not in allowed:
                yield f"{where}: qanat.{unit} may not import qanat.{to}"
        elif top in rules["python_outside"] and unit not in rules["python_outside"][top]:
            yield f"{where}: qanat.{unit} may not import {top}"


def breaches(root: pathlib.Path, rules: Rules) -> Iterator[str]:
    """All of them, in the order of the files."""
    yield from check_folders(root, rules)
    for path in core_files(root):
        yield from check_include(root, path, rules)
        yield from check_length(root, path, rules)
        yield from check_words(root, path, rules)
    for path in python_files(root):
        yield from check_import(root, path, rules)
        yield from check_length(root, path, rules)


def main(root: pathlib.Path) -> int:
    """The exit code."""
    rules = tomllib.loads((root / "tools/layers.toml").read_text(encoding="utf-8"))
    found = list(breaches(root, rules))
    print(
        "\n".join(found)
        if found
        else f"{len(core_files(root)) + len(python_files(root))} files in their layers"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(
        main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve())
    )
