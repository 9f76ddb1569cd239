// For tests only: queries whose rows hold every type that tables store, and what is hard about it.
#pragma once

#include <string>
#include <vector>

namespace qn::parquet {

inline std::vector<std::string> ScalarQueries() {
  return {
      "SELECT * FROM (VALUES "
      "(true, (-128)::TINYINT, (-32768)::SMALLINT, (-2147483648)::INTEGER, '-9223372036854775808'::BIGINT), "
      "(false, 127, 32767, 2147483647, 9223372036854775807), (NULL, NULL, NULL, NULL, NULL), (true, 0, 0, 0, "
      "0)) "
      "t(b, i8, i16, i32, i64)",
      "SELECT * FROM (VALUES (3.4028235e38::FLOAT, 1.7976931348623157e308::DOUBLE), ('nan', 'nan'), ('inf', "
      "'inf'), "
      "('-inf', '-inf'), (-0.0, -0.0), (0.0, 0.0), (1e-45, 5e-324), (NULL, NULL), (0.1, 0.1)) t(f, d)",
      "SELECT d4::DECIMAL(4,1) AS d4, d9::DECIMAL(9,2) AS d9, d18::DECIMAL(18,3) AS d18, d19::DECIMAL(19,0) "
      "AS d19, "
      "d38::DECIMAL(38,3) AS d38, d2::DECIMAL(2,2) AS d2 FROM (VALUES (999.9::DECIMAL(4,1), "
      "9999999.99::DECIMAL(9,2), "
      "999999999999999.999::DECIMAL(18,3), "
      "9999999999999999999::DECIMAL(19,0), 99999999999999999999999999999999999.999::DECIMAL(38,3), "
      "0.99::DECIMAL(2,2)), "
      "(-999.9, -9999999.99, -999999999999999.999, -9999999999999999999, "
      "-99999999999999999999999999999999999.999, -0.01), "
      "(NULL, NULL, NULL, NULL, NULL, NULL), (0, 0, 0, 0, 0, 0), (0.1, 0.01, 0.001, 1, 0.001, 0.01)) t(d4, "
      "d9, d18, d19, d38, d2)",
      "SELECT 'x' || repeat('y', i::INTEGER) AS s, repeat('ü', i::INTEGER // 2) AS u, "
      "CASE WHEN i % 4 = 0 THEN '' WHEN i % 4 = 1 THEN NULL ELSE chr((i % 64)::INTEGER) || 'a' END AS e, "
      "encode('x' || repeat('y', i::INTEGER)) AS blob, '\\x00\\xFF'::BLOB AS raw, "
      "CASE WHEN i % 2 = 0 THEN ''::BLOB END AS b FROM range(140) t(i)",
      "SELECT * FROM (VALUES (DATE '1970-01-01', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMPTZ '1970-01-01 "
      "00:00:00+00'), "
      "(DATE '9999-12-31', TIMESTAMP '9999-12-31 23:59:59.999999', TIMESTAMPTZ '9999-12-31 "
      "23:59:59.999999+00'), "
      "(DATE '0001-01-01', TIMESTAMP '0001-01-01 00:00:00.000001', TIMESTAMPTZ '0001-01-01 "
      "00:00:00.000001+00'), "
      "(DATE '0044-03-15 (BC)', TIMESTAMP '0044-03-15 (BC) 10:00:00', TIMESTAMPTZ '1969-12-31 "
      "23:59:59.999999+00'), "
      "(DATE 'infinity', TIMESTAMP 'infinity', TIMESTAMPTZ 'infinity'), "
      "(DATE '-infinity', TIMESTAMP '-infinity', TIMESTAMPTZ '-infinity'), (NULL, NULL, NULL)) t(d, ts, tz)",
      "SELECT NULL::INTEGER AS i, NULL::VARCHAR AS s, NULL::DOUBLE AS d, NULL::BOOLEAN AS b, "
      "NULL::DECIMAL(38,2) AS w, "
      "NULL::BLOB AS x FROM range(5000)",
      "SELECT i % 3 = 0 AS b, CASE WHEN i % 5 > 0 THEN i % 7 = 0 END AS n FROM range(10001) t(i)",
      "SELECT CASE WHEN hash(i) % 3 > 0 THEN i END AS a, CASE WHEN i > 9000 THEN 'v' || i END AS b, "
      "CASE WHEN i < 9000 THEN (i % 10)::DOUBLE END AS c FROM range(10000) t(i)",
  };
}

inline std::vector<std::string> NestedQueries() {
  return {
      "SELECT * FROM (VALUES ({'a': 1, 'b': 'x'}), ({'a': NULL, 'b': NULL}), (NULL), ({'a': 2, 'b': ''})) "
      "t(s)",
      "SELECT * FROM (VALUES ([1, 2, 3]), ([]), (NULL), ([NULL]), ([NULL, 4, NULL])) t(l)",
      "SELECT * FROM (VALUES ([['a'], [], NULL, [NULL, 'b']]), ([]), (NULL), ([NULL]), ([[]]), ([['c', 'd'], "
      "['e']])) t(l)",
      "SELECT * FROM (VALUES (MAP {'a': 1, 'b': NULL}), (MAP {}), (NULL), (MAP {'': 2})) t(m)",
      "SELECT * FROM (VALUES (MAP {{'k': 1}: [1, NULL]}), (MAP {}), (NULL), (MAP {{'k': NULL}: NULL}), (MAP "
      "{{'k': 3}: []})) t(m)",
      "SELECT * FROM (VALUES ({'l': [{'x': 1, 'y': [DATE '2024-01-01']}, NULL, {'x': NULL, 'y': NULL}], 'm': "
      "MAP {'k': {'z': 1.5}}}), "
      "(NULL), ({'l': NULL, 'm': NULL}), ({'l': [], 'm': MAP {}}), ({'l': [{'x': 2, 'y': []}], 'm': MAP "
      "{'k': NULL}})) t(s)",
      "SELECT * FROM (VALUES ([[[[1::TINYINT]], []]]), (NULL), ([[[NULL]]]), ([[[[]]]]), ([[NULL, [[2, "
      "NULL], [3]]]])) t(deep)",
      "SELECT * FROM (VALUES ({'a': {'b': {'c': {'d': [true, NULL]}}}}), ({'a': NULL}), ({'a': {'b': "
      "NULL}}), "
      "({'a': {'b': {'c': NULL}}}), (NULL)) t(deep)",
      "SELECT * FROM (VALUES ([{'m': MAP {'a': [MAP {1: 'one'}, NULL]}}]), (NULL), ([{'m': MAP {}}]), "
      "([NULL])) t(mixed)",
      "SELECT [1.5::DECIMAL(38,2), NULL] AS w, [true, NULL, false] AS b, ['\\x00'::BLOB] AS x, [TIMESTAMPTZ "
      "'2024-01-01 00:00:00+00'] AS z "
      "FROM range(10)",
      "SELECT i, [] ::INTEGER[] AS empty, NULL::VARCHAR[] AS none, NULL::STRUCT(a INTEGER, b VARCHAR[]) AS "
      "s, "
      "NULL::MAP(VARCHAR, INTEGER) AS m FROM range(3000) t(i)",
  };
}

// Every row differs; NULLs and empty lists at every level; texts short and long.
inline std::string RandomQuery(int rows) {
  return "SELECT i, CASE WHEN h % 7 > 0 THEN h END::DOUBLE AS d, CASE WHEN h % 5 > 0 THEN 'text ' || (h % "
         "1000) END AS low, "
         "CASE WHEN h % 11 > 0 THEN repeat('x', (h % 40)::INTEGER) || h END AS high, (h % "
         "100000)::DECIMAL(10,2) AS price, "
         "CASE WHEN h % 3 > 0 THEN list_transform(range((h % 6)::BIGINT), lambda x: CASE WHEN (x + h) % 4 > "
         "0 THEN 't' || ((x * h) % 9) END) END AS tags, "
         "CASE WHEN h % 4 > 0 THEN {'lat': CASE WHEN h % 8 > 1 THEN (h % 90)::DOUBLE END, 'names': "
         "list_transform(range((h % 4)::BIGINT), lambda x: {'n': x + i, 'p': CASE WHEN (h + x) % 2 = 0 THEN "
         "[x, NULL] END})} END AS geo, "
         "CASE WHEN h % 9 > 0 THEN map_from_entries(list_transform(range((h % 5)::BIGINT), lambda x: {'k': "
         "'k' || x, 'v': "
         "CASE WHEN (h + x) % 3 > 0 THEN [h % 7, x] END})) END AS m "
         "FROM (SELECT i, (hash(i) % 1000000007)::BIGINT AS h FROM range(" +
         std::to_string(rows) + ") t(i))";
}

// One vector each, so that one thread writes one file.
inline std::vector<std::string> StatsQueries() {
  std::vector<std::string> queries = ScalarQueries();
  queries.push_back(
      "SELECT * FROM (VALUES (1e15::DOUBLE, 1e16::DOUBLE, 1e-4::DOUBLE, 1e-5::DOUBLE, 16777216::FLOAT), "
      "(123456789012345680, 1.5e300, 0.00012345, 1.25e-7, 1e30)) t(a, b, c, d, e)");
  queries.push_back(
      "SELECT * FROM (VALUES (TIMESTAMP '2024-01-01 10:00:00.120', TIMESTAMPTZ '2024-01-01 10:00:00.5+00', "
      "DATE '12024-01-01'), (TIMESTAMP '2024-06-01', TIMESTAMPTZ '2024-06-01 00:00:00.000001+00', DATE "
      "'2024-01-01')) t(a, b, c)");
  queries.push_back(
      "SELECT * FROM (VALUES ({'lat': 1.5::DOUBLE, 'q\"uote': 'x'}, ['a']), (NULL, NULL)) t(geo, \"ta.gs\")");
  return queries;
}

}  // namespace qn::parquet
