"""Reads SQL text as tokens: enough to find tables, split statements and parse our DDL; never to plan it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qanat.errors import QanatError


class Token(NamedTuple):
    """One token; ``kind`` is word, name (in double quotes), text (a literal), number or mark."""

    kind: str
    text: str  # a word as written; a name or literal without its quotes
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """True for an unquoted word that is one of ``words`` (upper case)."""
        return self.kind == "word" and self.text.upper() in words

    def is_mark(self, mark: str) -> bool:
        """True for this very punctuation."""
        return self.kind == "mark" and self.text == mark

    @property
    def is_identifier(self) -> bool:
        """True for what may name a table, quoted or not."""
        return self.kind in ("word", "name")


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<comment>/\*)
      | (?P<dollar>\$(?P<tag>[A-Za-z_]*)\$)
      | (?P<text>[eE]?'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<word>[^\W\d]\w*)
      | (?P<number>(?:\d[\d_]*)(?:\.\d*)?(?:[eE][+-]?\d+)?)
      | (?P<mark>=>|::|<=|>=|<>|!=|\|\||->>|->|.)""",
    re.VERBOSE | re.DOTALL,
)


def tokens(sql: str) -> list[Token]:
    """The tokens of ``sql`` without spaces and comments.

    Examples
    --------
    >>> [token.text for token in tokens("SELECT 'it''s' -- why\\nFROM \\"t\\"")]
    ['SELECT', "it's", 'FROM', 't']
    """
    return list(_scan(sql))


def _scan(sql: str) -> Iterator[Token]:
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        assert match is not None  # the last branch takes any character
        kind, end = match.lastgroup or "", match.end()
        if kind == "tag":
            kind = "dollar"
        if kind == "comment":
            at = _comment_end(sql, at)
            continue
        if kind == "dollar":
            close = sql.find(match.group("dollar"), end)
            if close < 0:
                raise _unclosed(sql, at, "dollar-quoted text")
            yield Token("text", sql[end:close], at, close + len(match.group("dollar")))
            at = close + len(match.group("dollar"))
            continue
        if kind == "mark" and match.group() in "'\"":
            raise _unclosed(sql, at, "text in quotes" if match.group() == "'" else "name in double quotes")
        if kind != "space":
            yield Token(kind, _bare(kind, match.group()), at, end)
        at = end


def _bare(kind: str, written: str) -> str:
    if kind == "text":
        return written[written.index("'") + 1 : -1].replace("''", "'")
    if kind == "name":
        return written[1:-1].replace('""', '"')
    return written


def _comment_end(sql: str, start: int) -> int:
    depth, at = 0, start
    while True:
        match = re.compile(r"/\*|\*/").search(sql, at)
        if match is None:
            raise _unclosed(sql, start, "comment")
        depth += 1 if match.group() == "/*" else -1
        at = match.end()
        if depth == 0:
            return at


def _unclosed(sql: str, at: int, what: str) -> QanatError:
    line = sql.count("\n", 0, at) + 1
    begin = sql[at : at + 40].split("\n")[0]
    return QanatError(
        "QN-1227", f"The SQL has a {what} that does not end.", [f"in its line {line}:  {begin}"]
    )


def statements(sql: str) -> list[tuple[int, list[Token]]]:
    """The statements of ``sql``, split at ``;``: for each, its first offset and its tokens."""
    result: list[tuple[int, list[Token]]] = []
    current: list[Token] = []
    for token in tokens(sql):
        if token.is_mark(";"):
            if current:
                result.append((current[0].start, current))
            current = []
        else:
            current.append(token)
    if current:
        result.append((current[0].start, current))
    return result


def trimmed(sql: str) -> str:
    """``sql`` without what stands around it: blank lines, a last ``;``, comments before and after."""
    found = tokens(sql)
    while found and found[-1].is_mark(";"):
        found.pop()
    return sql[found[0].start : found[-1].end] if found else ""


def without_stream(sql: str) -> str:
    """``STREAM x`` and ``STREAM(x)``, as Spark and Databricks write them, become ``x``.

    Examples
    --------
    >>> without_stream("SELECT * FROM STREAM(orders) o JOIN STREAM clicks USING (id)")
    'SELECT * FROM orders o JOIN clicks USING (id)'
    """
    found = tokens(sql)
    pieces: list[str] = []
    done = 0
    for index, token in enumerate(found):
        if not token.is_word("STREAM") or not _after_from(found, index):
            continue
        following = found[index + 1 : index + 2]
        if following and following[0].is_mark("("):
            close = closing(found, index + 1)
            inner = sql[following[0].end : found[close].start]
            pieces += [sql[done : token.start], inner.strip()]
            done = found[close].end
        elif following and following[0].is_identifier and not following[0].is_word(*_AFTER_TABLE):
            pieces.append(sql[done : token.start])
            done = following[0].start
    return "".join([*pieces, sql[done:]])


def _after_from(found: Sequence[Token], index: int) -> bool:
    return index > 0 and (found[index - 1].is_word("FROM", "JOIN") or found[index - 1].is_mark(","))


def closing(found: Sequence[Token], open_index: int) -> int:
    """Index of the parenthesis that closes the one at ``open_index``; the last token when none does."""
    depth = 0
    for index in range(open_index, len(found)):
        if found[index].kind == "mark" and found[index].text in "([{":
            depth += 1
        elif found[index].kind == "mark" and found[index].text in ")]}":
            depth -= 1
            if depth == 0:
                return index
    return len(found) - 1


_AFTER_TABLE = (
    "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "QUALIFY", "WINDOW", "UNION", "EXCEPT",
    "INTERSECT", "SELECT", "ON", "USING", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "OUTER", "CROSS",
    "NATURAL", "ASOF", "SEMI", "ANTI", "POSITIONAL", "AS", "SAMPLE", "TABLESAMPLE", "PIVOT", "UNPIVOT",
    "FETCH",
)  # fmt: skip
_QUERY_START = ("SELECT", "FROM", "WITH", "VALUES", "PIVOT", "UNPIVOT", "TABLE", "DESCRIBE", "SUMMARIZE")


def is_query(sql: str) -> bool:
    """True when the text begins as a query does."""
    match = re.match(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([A-Za-z]+)\b", sql, re.DOTALL)
    return match is not None and match.group(1).upper() in _QUERY_START and len(sql.split()) > 1


def table_names(sql: str) -> list[str]:
    """Names that the query reads tables by, in order, each once; not its own common table expressions.

    Examples
    --------
    >>> table_names("WITH a AS (FROM t) SELECT extract(day FROM ts) FROM a, b JOIN \\"C d\\" USING (x)")
    ['t', 'b', 'C d']
    """
    found = tokens(sql)
    own = _own_names(found)
    result: dict[str, None] = {}
    for index in range(len(found)):
        if _opens_tables(found, index):
            for name in _tables_at(found, index + 1):
                if name.casefold() not in own:
                    result.setdefault(name)
    return list(result)


def _own_names(found: Sequence[Token]) -> set[str]:
    """Names given by ``name [(columns)] AS [[NOT] MATERIALIZED] (``."""
    own: set[str] = set()
    for index, token in enumerate(found):
        if not token.is_identifier:
            continue
        at = index + 1
        if at < len(found) and found[at].is_mark("("):
            at = closing(found, at) + 1
        if at >= len(found) or not found[at].is_word("AS"):
            continue
        at += 1
        while at < len(found) and found[at].is_word("NOT", "MATERIALIZED"):
            at += 1
        if at < len(found) and found[at].is_mark("("):
            own.add(token.text.casefold())
    return own


def _opens_tables(found: Sequence[Token], index: int) -> bool:
    token = found[index]
    if token.is_word("JOIN"):
        return True
    if token.is_word("PIVOT", "UNPIVOT", "SUMMARIZE"):
        return index == 0 or found[index - 1].is_mark("(")
    if not token.is_word("FROM"):
        return False
    if index >= 2 and found[index - 1].is_word("DISTINCT") and found[index - 2].is_word("IS", "NOT"):
        return False  # a IS [NOT] DISTINCT FROM b
    return not _inside_call(found, index)


def _inside_call(found: Sequence[Token], index: int) -> bool:
    """True for the FROM of ``extract(day FROM ts)`` and its like: its parenthesis does not hold a query."""
    depth = 0
    for at in range(index - 1, -1, -1):
        if found[at].is_mark(")"):
            depth += 1
        elif found[at].is_mark("("):
            if depth == 0:
                return (
                    at + 1 != index
                    and not found[at + 1].is_word(*_QUERY_START)
                    and not found[at + 1].is_mark("(")
                )
            depth -= 1
    return False


def _tables_at(found: Sequence[Token], start: int) -> Iterator[str]:
    """The comma-separated table references that begin at ``start``."""
    at, depth, expects = start, 0, True
    while at < len(found):
        token = found[at]
        if token.kind == "mark" and token.text in "([{":
            if expects and token.text == "(":  # a query, or tables in parentheses
                if not found[min(at + 1, len(found) - 1)].is_word(*_QUERY_START):
                    yield from _tables_at(found, at + 1)
                expects = False
            at = closing(found, at) + 1
            continue
        if token.kind == "mark" and token.text in ")]};":
            return
        if depth == 0 and token.is_word(*_AFTER_TABLE) and not token.is_word("AS"):
            return
        if token.is_mark(","):
            expects = True
        elif expects and token.is_word("LATERAL", "ONLY"):
            pass
        elif expects:
            expects = False
            following = found[at + 1] if at + 1 < len(found) else None
            plain = following is None or not (following.is_mark("(") or following.is_mark("."))
            if token.is_identifier and plain:
                yield token.text
        at += 1


def quoted(name: str) -> str:
    """``name`` as an SQL identifier, in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as an SQL literal, in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def file_literal(path: str) -> str:
    """The file ``path``, and no other, as an argument of ``read_parquet``, which reads names as patterns."""
    return literal(re.sub(r"[*?[]", r"[\g<0>]", path))
