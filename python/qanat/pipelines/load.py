"""Loads pipeline files: runs a Python file, reads an SQL file, follows a spec file. Starts nothing."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

from qanat.errors import QanatError, did_you_mean
from qanat.pipelines import registry as registries
from qanat.pipelines import spec_file
from qanat.pipelines.plan import Pipeline, build
from qanat.pipelines.registry import Registry
from qanat.where import shown


def load(file: str | Path | None = None) -> Pipeline:
    """Loads a pipeline and checks what can be checked without its data.

    Parameters
    ----------
    file
        A ``.py`` or ``.sql`` file, a spec file (``.yml``), or a folder that has a spec file. Left out: the
        spec file of the working folder or of a folder above it.

    Returns
    -------
    Pipeline
        What was declared; its ``spec()`` is what the engine reads.

    Raises
    ------
    QanatError
        QN-11xx and QN-12xx, see ``qanat explain``.
    """
    path = spec_file.find(Path.cwd()) if file is None else _existing(Path(file))
    if path.is_dir():
        path = spec_file.find(path.resolve())
    path = path.resolve()
    if path.suffix in (".yml", ".yaml"):
        return _load_spec(path)
    with registries.collecting() as registry:
        _load_one(path, registry)
    return build(registry, name=path.stem, file=path)


def _load_spec(path: Path) -> Pipeline:
    spec = spec_file.read(path)
    with registries.collecting() as registry:
        for library in spec.libraries:
            _load_one(library, registry)
    pipeline = build(registry, name=spec.name, file=path)
    pipeline.storage = spec.storage
    pipeline.settings = spec.settings
    pipeline.notices = [*spec.notices, *pipeline.notices]
    return pipeline


def _existing(path: Path) -> Path:
    if path.exists():
        return path
    try:
        beside = sorted(p.name for p in path.parent.iterdir() if p.suffix in (".py", ".sql", ".yml", ".yaml"))
    except OSError:
        beside = []
    lines = [f"Looked for {path.absolute()}"]
    if beside:
        lines.append(f"That folder has: {', '.join(beside[:8])}{', …' if len(beside) > 8 else ''}")
    raise QanatError("QN-1101", f"There is no file '{path}'.", [*lines, *did_you_mean(path.name, beside)])


def _load_one(path: Path, registry: Registry) -> None:
    if path.suffix not in (".py", ".sql"):
        raise QanatError(
            "QN-1102",
            f"'{shown(str(path))}' is no pipeline file.",
            [
                "A pipeline is a .py or .sql file, or a .yml spec file that names them.",
                "Nothing was started.",
            ],
        )
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise QanatError("QN-1101", f"'{shown(str(path))}' cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise QanatError(
            "QN-1103",
            f"'{shown(str(path))}' is not UTF-8 text: byte {error.start} is not.",
            ["Nothing was started."],
        ) from None
    if path.suffix == ".py":
        _run_python(path, text)
        return
    from qanat.pipelines import sql_file

    try:
        sql_file.declare(text, str(path), registry)
    except QanatError as error:
        if not any(line.startswith("at ") for line in error.lines):
            error.lines.insert(0, f"at {shown(str(path))}")
        raise


def _run_python(path: Path, text: str) -> None:
    """Runs the file as a module of its own, afresh at each load; its folder is on ``sys.path`` meanwhile."""
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    folder = str(path.parent)
    sys.path.insert(0, folder)
    before = sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # for dataclasses and pickling in the user's file
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except QanatError:
        raise
    except SyntaxError as error:
        raise _syntax(error, path) from None
    except (Exception, SystemExit) as error:
        raise raised_in_user_code(error, "The pipeline file") from error
    finally:
        sys.path.remove(folder)
        if before is not None:
            sys.modules[path.stem] = before


def _syntax(error: SyntaxError, path: Path) -> QanatError:
    lines = [f"at {shown(error.filename or str(path))}:{error.lineno}"]
    if error.text and error.text.strip():
        stripped = error.text.rstrip("\n").lstrip()
        lines.append(f"  {stripped}")
        lines.append(
            "  "
            + " " * max(0, (error.offset or 1) - 1 - (len(error.text.rstrip("\n")) - len(stripped)))
            + "^"
        )
    return QanatError(
        "QN-1103", f"The pipeline file is not Python: {error.msg}.", [*lines, "Nothing was started."]
    )


def raised_in_user_code(error: BaseException, what: str) -> QanatError:
    """Tells an exception of the user's code: its text, their lines that led to it, no stack of ours."""
    ours = str(Path(__file__).parent.parent) + os.sep
    import traceback

    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((ours, "<frozen"))
    ]
    lines = []
    for frame in frames[-3:]:
        lines.append(f"at {shown(frame.filename)}:{frame.lineno}, in {frame.name}:  {frame.line}")
    text = str(error).strip().split("\n")[0]
    name = type(error).__name__
    told = f"{what} raised {name}: {text.rstrip('.')}." if text else f"{what} raised {name}."
    return QanatError("QN-1104", told, [*reversed(lines), "Nothing was started."])
