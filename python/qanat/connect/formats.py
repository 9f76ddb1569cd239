"""How bytes become columns: JSON lines, CSV, Parquet. Describes; reads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from qanat import where
from qanat.arguments import known_arguments
from qanat.errors import QanatError


@dataclass(frozen=True)
class Format:
    """How bytes become columns; made by `json`, `csv` or `parquet`."""

    kind: str
    options: tuple[tuple[str, object], ...] = ()

    def to_spec(self) -> dict[str, object]:
        """The form that the engine reads."""
        return {"kind": self.kind, **dict(self.options)}


@known_arguments
def json() -> Format:
    """One JSON object a line.

    Columns are taken from the members of the same name; other members are left aside. Nested objects and
    lists need a STRUCT, LIST or MAP type in the schema, or JSON to be kept as text.

    Returns
    -------
    Format
        To be given to `source` as ``format``.

    Examples
    --------
    >>> import qanat as qn
    >>> qn.json().to_spec()
    {'kind': 'json'}
    """
    return Format("json")


@known_arguments
def csv(
    *,
    header: bool = True,
    delimiter: str = ",",
    quote: str = '"',
    escape: str = '"',
    null: str = "",
    skip_lines: int = 0,
) -> Format:
    r"""Separated values, with quotes where a value holds the delimiter or a line break.

    Parameters
    ----------
    header
        The first line names the columns; the schema's columns are found by these names. Without it they are
        taken in the schema's order.
    delimiter, quote, escape
        One character each; ``quote=""`` means that nothing is quoted.
    null
        The text that means NULL.
    skip_lines
        Lines to leave out at the top of each file.

    Raises
    ------
    QanatError
        QN-1129 for an option that cannot be meant.

    Examples
    --------
    >>> import qanat as qn
    >>> qn.csv(delimiter="\t", null="NA").to_spec()["delimiter"]
    '\t'
    """
    for name, value, least in (("delimiter", delimiter, 1), ("quote", quote, 0), ("escape", escape, 0)):
        if not isinstance(value, str) or not least <= len(value.encode()) <= 1 or value in ("\n", "\r"):
            raise _bad_option(name, value, "one ASCII character")
    if delimiter == quote:
        raise _bad_option("quote", quote, "another character than the delimiter")
    if not isinstance(skip_lines, int) or skip_lines < 0:
        raise _bad_option("skip_lines", skip_lines, "0 or more")
    return Format(
        "csv",
        (
            ("header", header),
            ("delimiter", delimiter),
            ("quote", quote),
            ("escape", escape),
            ("null", null),
            ("skip_lines", skip_lines),
        ),
    )


@known_arguments
def parquet() -> Format:
    """Parquet files; each file is read whole by one step, so give it many files rather than a huge one.

    The schema may be left out: it is then taken from the first file.

    Examples
    --------
    >>> import qanat as qn
    >>> qn.parquet().kind
    'parquet'
    """
    return Format("parquet")


_BY_ENDING = {"json": json, "jsonl": json, "ndjson": json, "csv": csv, "parquet": parquet}


def by_ending(path: str) -> Format | None:
    """The format that a path's ending names: data.csv, data.jsonl.gz, part-0.parquet; None for others."""
    parts = path.rsplit("/", 1)[-1].lower().split(".")
    while parts and parts[-1] in ("gz", "gzip", "zst", "zstd"):
        parts.pop()
    if len(parts) > 1 and parts[-1] in ("tsv", "tab"):
        return csv(delimiter="\t")
    maker = _BY_ENDING.get(parts[-1]) if len(parts) > 1 else None
    return maker() if maker else None


def _bad_option(name: str, value: object, wanted: str) -> QanatError:
    return QanatError(
        "QN-1129",
        f"csv({name}={value!r}) cannot be: it must be {wanted}.",
        [f"at {where.here()}", "Nothing was started."],
    )
