-- DISTINCT, DISTINCT ON, UNION, EXCEPT, INTERSECT; ORDER BY with LIMIT and OFFSET.

-- distinct_one
SELECT DISTINCT k FROM events

-- distinct_many
SELECT DISTINCT k, g, b FROM events

-- distinct_all
SELECT DISTINCT * FROM orders

-- distinct_double
SELECT DISTINCT x FROM events

-- distinct_nested
SELECT DISTINCT tags, pt FROM events

-- distinct_expression
SELECT DISTINCT coalesce(v, 0) % 7 AS m, k IS NULL AS is_null FROM events

-- distinct_of_aggregate
SELECT DISTINCT n FROM (SELECT k, count(*) AS n FROM events GROUP BY k)

-- distinct_on
SELECT DISTINCT ON (k) k, seq, v FROM events ORDER BY k, seq DESC

-- distinct_on_two
SELECT DISTINCT ON (g, b) g, b, seq, d FROM events ORDER BY g, b, v DESC NULLS LAST, seq

-- distinct_on_expression
SELECT DISTINCT ON (seq % 5) seq % 5 AS m, seq, k FROM events ORDER BY seq % 5, seq

-- union_all
SELECT k, g FROM events UNION ALL SELECT k, g FROM orders

-- union_all_three
SELECT k, 'e' AS src FROM events UNION ALL SELECT k, 'o' FROM orders UNION ALL SELECT k, 'r' FROM ref

-- union_all_self
SELECT k, v FROM events UNION ALL SELECT k, v FROM events WHERE v > 50

-- union_all_constants
SELECT g, v FROM events UNION ALL SELECT 7, 7 UNION ALL SELECT NULL, NULL

-- union
SELECT k, g FROM events UNION SELECT k, g FROM orders

-- union_by_name
SELECT k, v FROM events UNION ALL BY NAME SELECT n AS v, note, k FROM orders

-- union_by_name_distinct
SELECT k, g FROM events UNION BY NAME SELECT g, k FROM orders

-- union_with_reference
SELECT k FROM events UNION SELECT k FROM ref

-- except
SELECT k, g FROM events EXCEPT SELECT k, g FROM orders

-- except_all
SELECT k, g FROM events EXCEPT ALL SELECT k, g FROM orders

-- except_all_self
SELECT k, v FROM events EXCEPT ALL SELECT k, v FROM events WHERE b

-- except_reference
SELECT k FROM events EXCEPT SELECT k FROM ref

-- reference_except
SELECT k FROM ref EXCEPT SELECT k FROM events WHERE v > 30

-- intersect
SELECT k, g FROM events INTERSECT SELECT k, g FROM orders

-- intersect_all
SELECT k, g FROM events INTERSECT ALL SELECT k, g FROM orders

-- intersect_three
SELECT k FROM events INTERSECT SELECT k FROM orders INTERSECT SELECT k FROM ref

-- set_nested
(SELECT k FROM events UNION SELECT k FROM orders) EXCEPT (SELECT k FROM ref INTERSECT SELECT k FROM orders WHERE n > 20)

-- set_of_aggregates
SELECT g, count(*) AS n FROM events GROUP BY g EXCEPT SELECT g, count(*) FROM orders GROUP BY g

-- set_of_doubles
SELECT x FROM events WHERE b EXCEPT ALL SELECT x FROM events WHERE NOT b

-- set_kinds_of_numbers
SELECT v FROM events UNION SELECT amount FROM orders

-- aggregate_of_set
SELECT k, count(*) AS n FROM (SELECT k, g FROM events INTERSECT ALL SELECT k, g FROM orders) GROUP BY k

-- set_then_join
SELECT s.k, r.label FROM (SELECT k FROM events EXCEPT SELECT k FROM orders WHERE n > 70) s LEFT JOIN ref r ON r.k = s.k

-- top
SELECT seq, k, v FROM events ORDER BY seq DESC LIMIT 10

-- top_by_value
SELECT seq, v FROM events ORDER BY v DESC NULLS LAST, seq LIMIT 7

-- top_offset
SELECT seq, d FROM events ORDER BY d, seq LIMIT 5 OFFSET 3

-- top_offset_only
SELECT seq FROM events ORDER BY seq OFFSET 15

-- top_nulls_first
SELECT seq, k FROM events ORDER BY k NULLS FIRST, seq LIMIT 8

-- top_more_than_there_is
SELECT seq FROM events ORDER BY seq LIMIT 100000

-- top_nothing
SELECT seq FROM events ORDER BY seq LIMIT 0

-- top_percent
SELECT seq FROM events ORDER BY seq LIMIT 25%

-- top_of_aggregate
SELECT k, count(*) AS n FROM events GROUP BY k ORDER BY n DESC, k NULLS LAST LIMIT 3

-- top_of_join
SELECT e.seq, o.seq AS oseq FROM events e JOIN orders o ON e.id = o.id ORDER BY o.amount DESC NULLS LAST, e.seq, o.seq LIMIT 6

-- top_in_subquery
SELECT k, count(*) AS n FROM (SELECT * FROM events ORDER BY seq DESC LIMIT 20) GROUP BY k

-- top_then_join
SELECT t.seq, o.seq AS oseq FROM (SELECT seq, id FROM events ORDER BY seq LIMIT 12) t LEFT JOIN orders o ON o.id = t.id

-- top_by_double
SELECT x, seq FROM events ORDER BY x DESC, seq LIMIT 9

-- top_of_union
SELECT seq, src FROM (SELECT seq, 'e' AS src FROM events UNION ALL SELECT seq, 'o' FROM orders) ORDER BY seq DESC, src LIMIT 9

-- ordered
SELECT seq, k FROM events ORDER BY k, seq

-- distinct_interval
SELECT d::VARCHAR AS d FROM (SELECT DISTINCT to_days(30 * (g % 4)) AS d FROM events)

-- union_interval
SELECT s.d::VARCHAR AS d FROM (SELECT {'d': to_days(30 * (g % 4))} AS s FROM events UNION SELECT {'d': to_days(30 * (seq % 3)::INTEGER)} FROM orders)

-- except_interval
SELECT d::VARCHAR AS d FROM (SELECT to_days(30 * (g % 4)) AS d FROM events EXCEPT SELECT to_months((seq % 3)::INTEGER) FROM orders)

-- intersect_all_interval
SELECT d::VARCHAR AS d FROM (SELECT to_days(30 * (g % 4)) AS d FROM events INTERSECT ALL SELECT to_days(30 * (seq % 3)::INTEGER) FROM orders)
