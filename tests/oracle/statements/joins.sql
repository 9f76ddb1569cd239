-- Joins of two streams, of a stream with a reference, and with itself; subqueries, which are joins too.

-- join_inner
SELECT e.seq, o.seq AS oseq, e.k, e.v, o.amount FROM events e JOIN orders o ON e.k = o.k

-- join_two_keys
SELECT e.seq, o.seq AS oseq, e.k, e.g FROM events e JOIN orders o ON e.k = o.k AND e.g = o.g

-- join_left
SELECT e.seq, e.k, o.id, o.amount FROM events e LEFT JOIN orders o ON e.id = o.id

-- join_right
SELECT e.seq, e.v, o.seq AS oseq, o.k FROM events e RIGHT JOIN orders o ON e.id = o.id

-- join_full
SELECT e.seq, o.seq AS oseq, e.id, o.id AS oid FROM events e FULL JOIN orders o ON e.id = o.id

-- join_using
SELECT id, g, e.v, o.n FROM events e JOIN orders o USING (id, g)

-- join_full_using
SELECT id, count(e.seq) AS es, count(o.seq) AS os FROM events e FULL JOIN orders o USING (id) GROUP BY id

-- join_null_equal
SELECT e.seq, o.seq AS oseq FROM events e JOIN orders o ON e.g IS NOT DISTINCT FROM o.g AND e.id = o.id

-- join_left_null_equal
SELECT e.seq, o.seq AS oseq FROM events e LEFT JOIN orders o ON e.k IS NOT DISTINCT FROM o.k AND e.id = o.id

-- join_residual
SELECT e.seq, o.seq AS oseq FROM events e JOIN orders o ON e.k = o.k AND e.v < o.n

-- join_left_residual
SELECT e.seq, e.v, o.seq AS oseq, o.n FROM events e LEFT JOIN orders o ON e.id = o.id AND e.v < o.n

-- join_right_residual
SELECT e.seq, o.seq AS oseq FROM events e RIGHT JOIN orders o ON e.id = o.id AND e.d > o.amount

-- join_full_residual
SELECT e.seq, o.seq AS oseq FROM events e FULL JOIN orders o ON e.id = o.id AND e.v <> o.n

-- join_left_filter_in_on
SELECT e.seq, o.seq AS oseq FROM events e LEFT JOIN orders o ON e.id = o.id AND e.b AND o.amount > 0

-- join_left_then_where_null
SELECT e.seq, e.k FROM events e LEFT JOIN orders o ON e.id = o.id WHERE o.id IS NULL

-- join_range
SELECT e.seq, r.label FROM events e JOIN ref r ON e.v BETWEEN r.lo AND r.hi

-- join_range_streams
SELECT e.seq, o.seq AS oseq FROM events e JOIN orders o ON e.ts >= o.ts AND e.ts < o.ts + INTERVAL 5 MINUTE

-- join_range_and_key
SELECT e.seq, o.seq AS oseq, e.k FROM events e JOIN orders o
ON e.k = o.k AND o.ts BETWEEN e.ts - INTERVAL 10 MINUTE AND e.ts + INTERVAL 10 MINUTE

-- join_inequality_only
SELECT count(*) AS n, sum(o.n) AS s FROM events e JOIN orders o ON e.v < o.n

-- join_cross
SELECT count(*) AS n, sum(e.v * o.n) AS s FROM events e, orders o

-- join_cross_small
SELECT e.seq, o.total FROM events e CROSS JOIN (SELECT sum(amount) AS total FROM orders) o

-- join_self
SELECT a.seq, b.seq AS other, a.k FROM events a JOIN events b ON a.id = b.id AND a.seq < b.seq

-- join_self_left
SELECT a.seq, b.seq AS next FROM events a LEFT JOIN events b ON b.id = a.id AND b.seq = a.seq + 1

-- join_self_aggregate
SELECT e.seq, e.v - s.mean AS off FROM events e JOIN (SELECT k, avg(v) AS mean FROM events GROUP BY k) s USING (k)

-- join_on_expression
SELECT e.seq, o.seq AS oseq FROM events e JOIN orders o ON lower(e.k) = lower(o.k) || '' AND e.id + 1 = o.id

-- join_on_double
SELECT a.seq, b.seq AS other FROM events a JOIN events b ON a.x = b.x AND a.g = b.g

-- join_on_decimal
SELECT a.seq, b.seq AS other FROM events a JOIN events b ON a.e = b.e AND a.id = b.id

-- join_on_time
SELECT a.seq, b.seq AS other FROM events a JOIN events b ON a.tx = b.tx AND a.id = b.id

-- join_on_list
SELECT a.seq, o.seq AS other FROM events a JOIN orders o ON a.tags = [o.k] AND a.g = o.g

-- join_on_struct
SELECT a.seq, b.seq AS other FROM events a JOIN events b ON a.pt = b.pt AND a.id = b.id

-- join_kinds_of_numbers
SELECT e.seq, o.seq AS oseq FROM events e JOIN orders o ON e.f = o.n

-- join_three
SELECT e.seq, o.seq AS oseq, r.label FROM events e JOIN orders o ON e.id = o.id JOIN ref r ON r.k = e.k

-- join_three_streams
SELECT e.k, count(*) AS n FROM events e JOIN orders o ON e.id = o.id JOIN events f ON f.id = o.id AND f.g = e.g GROUP BY e.k

-- join_left_left
SELECT e.seq, o.seq AS oseq, r.label FROM events e LEFT JOIN orders o ON e.id = o.id LEFT JOIN ref r ON r.g = o.g AND r.k = e.k

-- join_full_full
SELECT coalesce(a.k, b.k, c.k) AS k, a.n AS an, b.n AS bn, c.label
FROM (SELECT k, count(*) AS n FROM events GROUP BY k) a
FULL JOIN (SELECT k, count(*) AS n FROM orders GROUP BY k) b ON a.k = b.k
FULL JOIN (SELECT k, max(label) AS label FROM ref GROUP BY k) c ON coalesce(a.k, b.k) = c.k

-- join_reference
SELECT e.seq, r.label FROM events e JOIN ref r ON e.k = r.k

-- join_reference_left
SELECT e.seq, e.k, r.label, r.lo FROM events e LEFT JOIN ref r ON e.k = r.k AND e.g = r.g

-- join_reference_first
SELECT r.label, r.k, count(e.seq) AS n, sum(e.v) AS s FROM ref r LEFT JOIN events e ON e.k = r.k GROUP BY r.label, r.k

-- join_reference_full
SELECT r.label, e.seq FROM ref r FULL JOIN events e ON e.k = r.k

-- join_reference_anti
SELECT r.label FROM ref r WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.k = r.k AND e.v > 50)

-- join_aggregates
SELECT a.g, a.n, b.total FROM (SELECT g, count(*) AS n FROM events GROUP BY g) a
JOIN (SELECT g, sum(amount) AS total FROM orders GROUP BY g) b ON a.g = b.g

-- join_union
SELECT u.k, u.src, r.label FROM (SELECT k, 'e' AS src FROM events UNION ALL SELECT k, 'o' FROM orders) u
LEFT JOIN ref r ON r.k = u.k

-- join_then_aggregate
SELECT o.g, e.k, count(*) AS n, sum(e.v) AS s, sum(o.amount) AS amount
FROM events e JOIN orders o ON e.id = o.id GROUP BY o.g, e.k

-- semi_join
SELECT e.* FROM events e SEMI JOIN orders o ON e.k = o.k AND e.g = o.g

-- semi_join_residual
SELECT e.seq, e.k FROM events e SEMI JOIN orders o ON e.k = o.k AND e.v < o.n

-- anti_join
SELECT e.seq, e.k, e.v FROM events e ANTI JOIN orders o ON e.id = o.id

-- anti_join_residual
SELECT e.seq, e.k FROM events e ANTI JOIN orders o ON e.k = o.k AND e.v < o.n

-- in_subquery
SELECT seq, k FROM events WHERE k IN (SELECT k FROM orders WHERE amount > 0)

-- in_subquery_rows
SELECT seq, k, g FROM events WHERE (k, g) IN (SELECT k, g FROM orders)

-- in_subquery_as_value
SELECT seq, g, g IN (SELECT g FROM orders WHERE n > 30) AS is_in FROM events

-- not_in
SELECT seq, id FROM events WHERE id NOT IN (SELECT id FROM orders WHERE id IS NOT NULL)

-- not_in_nulls
SELECT seq, g FROM events WHERE g NOT IN (SELECT g FROM orders WHERE n > 97)

-- not_in_empty
SELECT seq, g FROM events WHERE g NOT IN (SELECT g FROM orders WHERE n > 100000)

-- not_in_or
SELECT seq FROM events WHERE v > 80 OR id NOT IN (SELECT id FROM orders WHERE id IS NOT NULL)

-- exists_correlated
SELECT e.seq FROM events e WHERE EXISTS (SELECT 1 FROM orders o WHERE o.id = e.id AND o.n > e.v)

-- not_exists_correlated
SELECT e.seq, e.id FROM events e WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = e.id)

-- exists_uncorrelated
SELECT seq FROM events WHERE EXISTS (SELECT 1 FROM orders WHERE n > 95) AND v > 10

-- exists_or_exists
SELECT e.seq FROM events e
WHERE EXISTS (SELECT 1 FROM orders o WHERE o.id = e.id AND o.n > 50) OR EXISTS (SELECT 1 FROM ref r WHERE r.g = e.g)

-- any_all
SELECT seq, v FROM events WHERE v > ALL (SELECT n FROM orders WHERE g = 2 AND n IS NOT NULL) OR g = ANY (SELECT g FROM ref)

-- scalar_subquery
SELECT seq, v, (SELECT max(n) FROM orders) AS top FROM events

-- scalar_subquery_in_where
SELECT seq, v FROM events WHERE v > (SELECT avg(v) FROM events)

-- scalar_subquery_correlated
SELECT e.seq, (SELECT sum(o.amount) FROM orders o WHERE o.id = e.id) AS total FROM events e

-- scalar_subquery_correlated_count
SELECT e.seq, (SELECT count(*) FROM orders o WHERE o.id = e.id AND o.n > e.v) AS n FROM events e

-- scalar_subquery_correlated_where
SELECT e.seq, e.v FROM events e WHERE e.v > (SELECT avg(f.v) FROM events f WHERE f.k = e.k)

-- scalar_subquery_of_two
SELECT (SELECT count(*) FROM events) AS es, (SELECT count(*) FROM orders) AS os, (SELECT max(label) FROM ref) AS label

-- asof_join
SELECT e.seq, o.oseq FROM events e ASOF JOIN
  (SELECT k, ts, max(seq) AS oseq FROM orders WHERE ts IS NOT NULL GROUP BY k, ts) o ON e.k = o.k AND e.ts >= o.ts

-- asof_join_left
SELECT e.seq, o.oseq, o.amount FROM events e ASOF LEFT JOIN
  (SELECT g, ts, max(seq) AS oseq, max(amount) AS amount FROM orders GROUP BY g, ts) o ON e.g = o.g AND e.ts >= o.ts

-- asof_join_strict
SELECT e.seq, o.oseq FROM events e ASOF JOIN
  (SELECT k, ts, max(seq) AS oseq FROM orders GROUP BY k, ts) o ON e.k = o.k AND e.ts < o.ts

-- asof_join_no_key
SELECT e.seq, o.oseq FROM events e ASOF JOIN (SELECT ts, max(seq) AS oseq FROM orders GROUP BY ts) o ON e.ts >= o.ts

-- lateral
SELECT e.seq, l.n, l.top FROM events e, LATERAL (SELECT count(*) AS n, max(o.n) AS top FROM orders o WHERE o.g = e.g) l

-- lateral_limit
SELECT r.k, r.label, l.seq, l.n FROM ref r,
LATERAL (SELECT o.seq, o.n FROM orders o WHERE o.k = r.k ORDER BY o.n DESC NULLS LAST, o.seq LIMIT 2) l

-- lateral_limit_streams
SELECT e.seq, l.oseq FROM (SELECT DISTINCT seq, id FROM events) e
LEFT JOIN LATERAL (SELECT o.seq AS oseq FROM orders o WHERE o.id = e.id ORDER BY o.seq DESC LIMIT 1) l ON true

-- lateral_values
SELECT e.seq, l.what, l.value FROM events e, LATERAL (VALUES ('v', e.v), ('g', e.g::BIGINT)) l(what, value)

-- left_by_interval_form
SELECT e.d::VARCHAR AS d, o.seq AS oseq FROM (SELECT k, CASE WHEN b THEN INTERVAL 1 MONTH ELSE INTERVAL 30 DAY END AS d FROM events) e
LEFT JOIN orders o ON e.k = o.k AND (e.d::VARCHAR = '30 days') = (o.seq % 2 = 0)

-- anti_by_interval_form
SELECT e.d::VARCHAR AS d FROM (SELECT k, CASE WHEN b THEN INTERVAL 1 MONTH ELSE INTERVAL 30 DAY END AS d FROM events) e
ANTI JOIN orders o ON e.k = o.k AND (e.d::VARCHAR = '30 days') = (o.seq % 2 = 0)
