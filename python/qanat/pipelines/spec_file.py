"""Reads a pipeline spec file: YAML in the form that ``spark-pipelines`` uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qanat.errors import QanatError, did_you_mean
from qanat.where import shown

SPEC_NAMES = ("qanat.yml", "qanat.yaml", "spark-pipeline.yml", "spark-pipeline.yaml")

_FIELDS = ("name", "storage", "libraries", "configuration", "catalog", "database", "schema")
_SETTINGS = ("qanat.memory", "qanat.threads", "qanat.trigger")


@dataclass
class Spec:
    """What the file says; paths are absolute."""

    name: str
    file: Path
    storage: str | None
    libraries: list[Path]
    settings: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def find(folder: Path) -> Path:
    """The spec file of ``folder`` or of the nearest folder above it.

    Raises
    ------
    QanatError
        QN-1101 when there is none, QN-1118 when one folder has two.
    """
    for candidate in (folder, *folder.parents):
        found = [candidate / name for name in SPEC_NAMES if (candidate / name).is_file()]
        if len(found) == 1:
            return found[0]
        if found:
            raise QanatError(
                "QN-1118",
                f"Folder '{shown(str(candidate))}' has {len(found)} spec files.",
                [
                    f"Found: {', '.join(path.name for path in found)}",
                    f"Name the one to use:  qanat run {found[0].name}",
                ],
            )
    raise QanatError(
        "QN-1101",
        "There is no pipeline to run here.",
        [
            f"No file was named, and neither '{folder}' nor a folder above it has {' or '.join(SPEC_NAMES)}.",
            "Name a file:  qanat run flow.py",
            "Or make a pipeline to start from:  qanat init my_pipeline",
        ],
    )


def read(file: Path) -> Spec:
    """Reads and checks a spec file; QN-1118 says what is wrong with it."""
    data = _parsed(file)
    for key in data:
        if key not in _FIELDS:
            raise _wrong(
                file,
                f"has a field '{key}', which is not known",
                [*did_you_mean(str(key), _FIELDS), f"Known: {', '.join(_FIELDS)}"],
            )
    name = data.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _wrong(file, "has no name", ["Add a line:  name: my_pipeline"])
    storage = data.get("storage")
    if storage is not None and not isinstance(storage, str):
        raise _wrong(file, f"has a storage that is no path: {storage!r}", ["For example:  storage: lake"])
    spec = Spec(name, file, _storage(storage, file), _libraries(data.get("libraries"), file))
    for key in ("catalog", "database", "schema"):
        if data.get(key) is not None:
            spec.notices.append(
                f"'{key}: {data[key]}' has no effect here: tables are folders in the storage folder."
            )
    _configuration(data.get("configuration") or {}, spec)
    return spec


def _parsed(file: Path) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"at {shown(str(file))}:{mark.line + 1}" if mark else f"at {shown(str(file))}"
        problem = getattr(error, "problem", None) or "not YAML"
        raise QanatError(
            "QN-1118", f"The spec file is not YAML: {problem}.", [place, "Nothing was started."]
        ) from None
    if not isinstance(data, dict):
        raise _wrong(file, "holds no fields", [f"Known: {', '.join(_FIELDS)}"])
    return data


def _storage(text: str | None, file: Path) -> str | None:
    if text is None:
        return None
    if text.startswith("file://"):
        text = "/" + text.removeprefix("file://").lstrip("/")
    if "://" in text:
        raise _wrong(
            file,
            f"has the storage '{text}', and only local folders are known",
            ["For example:  storage: lake"],
        )
    return str((file.parent / Path(text).expanduser()).resolve())


def _libraries(entries: Any, file: Path) -> list[Path]:
    shape = ["Write:", "  libraries:", "    - glob:", "        include: transformations/**"]
    if not isinstance(entries, list) or not entries:
        raise _wrong(file, "names no libraries", shape)
    found: dict[Path, None] = {}
    for entry in entries:
        include = (
            entry.get("glob", {}).get("include")
            if isinstance(entry, dict) and isinstance(entry.get("glob"), dict)
            else None
        )
        if not isinstance(include, str):
            raise _wrong(file, f"has a library that is no glob with an include: {entry!r}", shape)
        matches = _matches(include, file)
        if not matches:
            raise _wrong(
                file,
                f"includes '{include}', and no .py or .sql file is there",
                [f"Looked in {shown(str(file.parent))}"],
            )
        found.update(dict.fromkeys(matches))
    return list(found)


def _matches(include: str, file: Path) -> list[Path]:
    pattern = include + "/*" if include.endswith("**") else include
    paths = [Path(pattern)] if Path(pattern).is_absolute() else sorted(file.parent.glob(pattern))
    return [
        path.resolve()
        for path in paths
        if path.is_file() and path.suffix in (".py", ".sql") and "__pycache__" not in path.parts
    ]


def _configuration(entries: Any, spec: Spec) -> None:
    if not isinstance(entries, dict):
        raise _wrong(
            spec.file,
            "has a configuration that is no map",
            ["For example:  configuration: {qanat.memory: 2GB}"],
        )
    for key, value in entries.items():
        if key in _SETTINGS:
            spec.settings[key.removeprefix("qanat.")] = str(value)
        elif str(key).startswith("qanat."):
            raise _wrong(
                spec.file,
                f"sets '{key}', which is not known",
                [*did_you_mean(str(key), _SETTINGS), f"Known: {', '.join(_SETTINGS)}"],
            )
        else:
            spec.notices.append(f"'configuration: {key}' has no effect here.")


def _wrong(file: Path, what: str, lines: list[str]) -> QanatError:
    return QanatError(
        "QN-1118", f"The spec file {what}.", [f"at {shown(str(file))}", *lines, "Nothing was started."]
    )
