"""Every error code that the code can print has an entry in spec/errors.d/, every entry is printed somewhere.

`codes.py [ROOT]` prints one line a breach and exits 1 when there is one. Tests do not count as use.
"""

import pathlib
import re
import sys
import tomllib
from collections.abc import Iterator

CODE = re.compile(r"\bQN-\d{4}\b")
FIELDS = ("title", "what", "do", "example")


def sources(root: pathlib.Path) -> list[pathlib.Path]:
    """The files whose codes count: C++ and Python, without tests."""
    core = [
        p for p in (root / "core").rglob("*") if p.suffix in {".h", ".cc"} and not p.stem.endswith("_test")
    ]
    return sorted(core) + sorted((root / "python").rglob("*.py"))


def used(root: pathlib.Path) -> dict[str, str]:
    """Code → the first place that has it."""
    places: dict[str, str] = {}
    for path in sources(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for code in CODE.findall(line):
                places.setdefault(code, f"{path.relative_to(root)}:{number}")
    return places


def breaches(root: pathlib.Path) -> Iterator[str]:
    """Missing, unused, doubled and half-written entries."""
    entries: dict[str, str] = {}
    for path in sorted((root / "spec/errors.d").glob("*.toml")):
        name = path.relative_to(root).as_posix()
        for code, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if not CODE.fullmatch(code):
                yield f"{name}: '{code}' is not a code: QN- and four digits"
                continue
            if code in entries:
                yield f"{name}: {code} is in {entries[code]} already"
            entries[code] = name
            for field in FIELDS:
                if not isinstance(entry.get(field), str) or not entry[field].strip():
                    yield f"{name}: {code} has no '{field}'"
    places = used(root)
    for code in sorted(set(places) - set(entries)):
        yield f"{places[code]}: {code} has no entry in spec/errors.d/"
    for code in sorted(set(entries) - set(places)):
        yield f"{entries[code]}: {code} is printed nowhere"


def main(root: pathlib.Path) -> int:
    """The exit code."""
    found = list(breaches(root))
    print("\n".join(found) if found else f"{len(used(root))} error codes, each with its entry")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(
        main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve())
    )
