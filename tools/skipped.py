"""Fails when a test that should run was skipped. Reads the JUnit reports below a folder; says how many ran.

A skip is fine only where `tools/skips.toml` gives its reason; some reasons do not count in CI.
"""

import fnmatch
import os
import pathlib
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]


def cases(folder: pathlib.Path) -> Iterator[tuple[str, str | None]]:
    """Name of each test and the reason of its skip, None where it ran."""
    for report in sorted(folder.rglob("*.xml")):
        for case in ET.parse(report).getroot().iter("testcase"):
            name = f"{case.get('classname', '')}.{case.get('name', '')}"
            skip = case.find("skipped")
            if skip is not None:
                yield name, skip.get("message") or "no reason given"
            else:
                yield name, "not run" if case.get("status") == "notrun" else None


def main(folder: pathlib.Path, allowed: dict[str, str]) -> int:
    """0 when every test ran or may be skipped; an empty report is a failure too."""
    found = list(cases(folder))
    skipped = [(name, reason) for name, reason in found if reason is not None]
    wrong = [(name, reason) for name, reason in skipped if not any(fnmatch.fnmatch(name, p) for p in allowed)]
    print(f"{len(found) - len(skipped)} tests ran, {len(skipped)} were skipped ({folder})")
    for name, reason in wrong:
        print(f"  skipped, but should run: {name}: {reason}")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    skips = tomllib.loads((ROOT / "tools/skips.toml").read_text())
    allowed = skips["allowed"] | ({} if os.environ.get("CI") else skips["allowed_outside_ci"])
    sys.exit(main(pathlib.Path(sys.argv[1]), allowed))
