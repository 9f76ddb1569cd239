"""Reads a column list: ``id BIGINT NOT NULL, price DECIMAL(10,2)``. Whether types exist, DuckDB says."""

from __future__ import annotations

from typing import NamedTuple

from qanat import sql_text
from qanat.errors import QanatError

_HIDDEN_PREFIX = "__qn_"


class Column(NamedTuple):
    """One declared column; ``type`` is SQL text, not looked into."""

    name: str
    type: str
    nullable: bool


def columns(text: str, what: str, where: object) -> list[Column]:
    """The columns that ``text`` declares.

    Parameters
    ----------
    text
        The column list.
    what, where
        Whose schema it is (``source 'clicks'``) and the place of its declaration, for messages.

    Raises
    ------
    QanatError
        QN-1105 when it is no column list: a part without a type, a name twice, a parenthesis left open.

    Examples
    --------
    >>> columns('id BIGINT NOT NULL, "at" STRUCT(lat DOUBLE)', "source 's'", "a.py:1")[1]
    Column(name='at', type='STRUCT(lat DOUBLE)', nullable=True)
    """
    result: list[Column] = []
    for part in _parts(text, what, where):
        column = _column(text, part, what, where)
        if any(column.name.casefold() == other.name.casefold() for other in result):
            raise _refused(what, where, f"column '{column.name}' is there twice")
        result.append(column)
    if not result:
        raise _refused(what, where, "it is empty")
    return result


def _parts(text: str, what: str, where: object) -> list[list[sql_text.Token]]:
    parts: list[list[sql_text.Token]] = [[]]
    depth = 0
    for token in sql_text.tokens(text):
        if token.kind == "mark" and token.text in "([{<":
            depth += 1
        elif token.kind == "mark" and token.text in ")]}>":
            depth -= 1
        if depth < 0:
            break
        if depth == 0 and token.is_mark(","):
            parts.append([])
        else:
            parts[-1].append(token)
    if depth != 0:
        raise _refused(what, where, "its parentheses do not match")
    if not parts[-1] and len(parts) > 1:
        parts.pop()  # a comma after the last column is fine
    return [] if parts == [[]] else parts


def _column(text: str, part: list[sql_text.Token], what: str, where: object) -> Column:
    if not part:
        raise _refused(what, where, "there is nothing between two commas")
    written = text[part[0].start : part[-1].end]
    name, rest = part[0], part[1:]
    if not name.is_identifier:
        raise _refused(what, where, f"'{written}' does not begin with a column name")
    if rest and rest[0].is_mark(":"):
        raise _refused(what, where, f"'{written}' has a colon; a column is written 'name TYPE'")
    if not rest or rest[0].is_word("NOT", "NULL"):
        raise _refused(what, where, f"column '{name.text}' has no type")
    if name.text.startswith(_HIDDEN_PREFIX):
        raise _refused(what, where, f"column '{name.text}': names that begin with {_HIDDEN_PREFIX} are ours")
    nullable = True
    if len(rest) >= 3 and rest[-2].is_word("NOT") and rest[-1].is_word("NULL"):
        nullable, rest = False, rest[:-2]
    elif rest[-1].is_word("NULL") and len(rest) >= 2:
        rest = rest[:-1]
    return Column(name.text, text[rest[0].start : rest[-1].end], nullable)


def _refused(what: str, where: object, why: str) -> QanatError:
    return QanatError(
        "QN-1105",
        f"The schema of {what} cannot be read: {why}.",
        [
            f"at {where}",
            'A schema is a list of columns:  "id BIGINT NOT NULL, price DECIMAL(10,2), tags VARCHAR[]"',
            "Nothing was started.",
        ],
    )
