"""SQL as tokens: what is a table name, what a statement, what stays untouched."""

import pytest

from qanat import sql_text
from qanat.errors import QanatError


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT * FROM a", ["a"]),
        ("FROM a", ["a"]),
        ("SELECT * FROM a, b AS x, c y WHERE 1", ["a", "b", "c"]),
        ("SELECT * FROM a LEFT JOIN b ON a.x = b.x ASOF JOIN c USING (t)", ["a", "b", "c"]),
        ("SELECT * FROM (SELECT * FROM inner_one) q JOIN b ON true", ["inner_one", "b"]),
        ("SELECT * FROM (a JOIN b USING (x))", ["a", "b"]),
        ("WITH w AS (SELECT * FROM a), v(x) AS MATERIALIZED (FROM w) SELECT * FROM v, b", ["a", "b"]),
        ("SELECT extract(day FROM ts), trim(both 'x' FROM y), substring(s FROM 1 FOR 2) FROM a", ["a"]),
        ("SELECT * FROM a WHERE x IS NOT DISTINCT FROM y AND p IS DISTINCT FROM q", ["a"]),
        ("SELECT * FROM read_csv('x.csv') r, range(3), generate_series(1, 2), a", ["a"]),
        ("SELECT * FROM 'file.parquet', a", ["a"]),
        ('SELECT * FROM "Odd name", "a""b"', ["Odd name", 'a"b']),
        ("SELECT * FROM memory.main.t, a", ["a"]),
        ("SELECT (SELECT max(x) FROM b) FROM a WHERE EXISTS (FROM c WHERE c.i = a.i)", ["b", "a", "c"]),
        ("SELECT 'FROM no' /* FROM no */ -- FROM no\nFROM a", ["a"]),
        ("SELECT * FROM a UNION ALL SELECT * FROM b", ["a", "b"]),
        ("SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x)", ["a", "b"]),
        ("SELECT $$FROM no$$ FROM a", ["a"]),
        ("SELECT * FROM a, a AS again", ["a"]),
        ("PIVOT a ON x USING sum(y)", ["a"]),
        ("SELECT sum(x) OVER w FROM a WINDOW w AS (PARTITION BY k)", ["a"]),
        ("SELECT 1", []),
        ("", []),
    ],
)
def test_table_names(sql, names):
    assert sql_text.table_names(sql) == names


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("SELECT * FROM STREAM a", "SELECT * FROM a"),
        ("SELECT * FROM stream(a) x JOIN STREAM(b) USING (i)", "SELECT * FROM a x JOIN b USING (i)"),
        ("SELECT * FROM a, STREAM b", "SELECT * FROM a, b"),
        ("SELECT stream FROM a WHERE stream = 1", "SELECT stream FROM a WHERE stream = 1"),
        ("SELECT * FROM stream", "SELECT * FROM stream"),
        ("SELECT * FROM stream WHERE x", "SELECT * FROM stream WHERE x"),
        ("SELECT 'FROM STREAM a' FROM b", "SELECT 'FROM STREAM a' FROM b"),
    ],
)
def test_stream_is_taken_away_where_it_is_the_word(sql, plain):
    assert sql_text.without_stream(sql) == plain


def test_statements_are_split_outside_of_text_only():
    found = sql_text.statements("SELECT ';' ; -- ;\n SELECT $$;$$;;")
    assert len(found) == 2


@pytest.mark.parametrize("sql", ["  SELECT 1 ;  ", "-- first\nSELECT 1 -- last", "/* a */ SELECT 1;;\n"])
def test_trimmed_leaves_the_statement(sql):
    assert sql_text.trimmed(sql) == "SELECT 1"


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT 'a", "text in quotes"),
        ('SELECT "a', "name in double quotes"),
        ("SELECT /* a", "comment"),
        ("SELECT /* /* a */", "comment"),
        ("SELECT $x$ a", "dollar-quoted text"),
    ],
)
def test_what_does_not_end_is_told(sql, what):
    with pytest.raises(QanatError) as caught:
        sql_text.tokens("SELECT 1,\n" + sql)
    assert str(caught.value).startswith(
        f"QN-1227  The SQL has a {what} that does not end.\n  in its line 2:  "
    )


@pytest.mark.parametrize(
    "sql", ["SELECT 1", " with a as (select 1) from a", "(SELECT 1)", "-- x\nFROM t", "VALUES (1)"]
)
def test_queries_are_known_by_their_beginning(sql):
    assert sql_text.is_query(sql)


@pytest.mark.parametrize(
    "text", ["data/a.csv", "from", "select.csv", "INSERT INTO t SELECT 1", "", "selected rows.csv"]
)
def test_paths_are_not_taken_for_queries(text):
    assert not sql_text.is_query(text)


def test_quoting_is_undone_by_reading():
    for text in ("plain", 'a"b', "it's", "ü\n;--"):
        assert sql_text.tokens(sql_text.quoted(text))[0].text == text
        assert sql_text.tokens(sql_text.literal(text))[0].text == text
