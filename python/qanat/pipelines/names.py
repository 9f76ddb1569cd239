"""Which names datasets, sources and rules may have: what is also a folder, an SQL name, and a word."""

from __future__ import annotations

import re

from qanat.errors import QanatError
from qanat.where import Where

_NAME = re.compile(r"[^\W\d]\w*")
_NAME_BYTES_MAX = 120  # a folder's name may have 255 bytes on Linux, and ours gets "__dead_letters"
_ENDING = "__dead_letters"


def checked_name(name: object, what: str, place: Where) -> str:
    """``name``, if it can be the name of a ``what``; QN-1126 otherwise."""
    if not isinstance(name, str) or not name:
        raise _refused(name, what, place, "a name is text and not empty")
    if "." in name:
        raise _refused(name, what, place, "a name has no catalog or schema before it here")
    if not _NAME.fullmatch(name):
        raise _refused(name, what, place, "a name has letters, digits and _, and does not begin with a digit")
    if name.casefold().endswith(_ENDING) or name.startswith(("__qn_", "_qanat")):
        raise _refused(
            name, what, place, f"names that end with {_ENDING} or begin with __qn_ or _qanat are ours"
        )
    if len(name.encode()) > _NAME_BYTES_MAX:
        raise _refused(name[:40] + "…", what, place, f"a name has at most {_NAME_BYTES_MAX} bytes")
    return name


def _refused(name: object, what: str, place: Where, why: str) -> QanatError:
    article = "an" if what[0] in "aeiou" else "a"
    text = f"{name!r} cannot be the name of {article} {what}: {why}."
    lines = [f"at {place}"]
    mended = re.sub(r"\W+", "_", name.rsplit(".", 1)[-1]).strip("_") if isinstance(name, str) else ""
    if mended != name and _NAME.fullmatch(mended):
        lines.append(f"For example:  {mended}")
    return QanatError("QN-1126", text, [*lines, "Nothing was started."])
