-- WITH, also read twice and recursive; CASE; constants; views without streams.

-- cte
WITH high AS (SELECT * FROM events WHERE v > 40) SELECT k, count(*) AS n FROM high GROUP BY k

-- cte_twice
WITH s AS (SELECT k, sum(v) AS s FROM events GROUP BY k)
SELECT a.k, a.s, b.k AS next_k FROM s a LEFT JOIN s b ON b.s = a.s + 1

-- cte_twice_stateless
WITH e AS (SELECT seq, id, v * 2 AS v2 FROM events WHERE v IS NOT NULL)
SELECT a.seq, b.seq AS other FROM e a JOIN e b ON a.id = b.id WHERE a.v2 < b.v2

-- cte_materialized
WITH s AS MATERIALIZED (SELECT g, count(*) AS n, sum(v) AS s FROM events GROUP BY g)
SELECT s.g, s.n, s.s * 1.0 / t.total AS share FROM s, (SELECT sum(n) AS total FROM s) t

-- cte_compared_with_itself
WITH s AS (SELECT k, count(*) AS n FROM events GROUP BY k) SELECT k, n FROM s WHERE n = (SELECT max(n) FROM s)

-- cte_chain
WITH a AS (SELECT k, g, sum(v) AS s FROM events GROUP BY k, g), b AS (SELECT k, max(s) AS top FROM a GROUP BY k),
     c AS (SELECT a.k, a.g FROM a JOIN b ON a.k = b.k AND a.s = b.top)
SELECT g, count(*) AS tops FROM c GROUP BY g

-- cte_three_times
WITH k AS (SELECT DISTINCT k FROM events UNION SELECT k FROM orders)
SELECT (SELECT count(*) FROM k) AS n, (SELECT max(k) FROM k) AS top, (SELECT min(k) FROM k WHERE k > 'a') AS low

-- recursive_numbers
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8)
SELECT n.i, count(e.seq) AS rows FROM n LEFT JOIN events e ON e.g = n.i GROUP BY n.i

-- recursive_reach
WITH RECURSIVE edge AS (SELECT DISTINCT id AS a, n % 20 AS z FROM orders WHERE id IS NOT NULL AND n IS NOT NULL),
reach(a, z) AS (SELECT a, z FROM edge UNION SELECT r.a, e.z FROM reach r JOIN edge e ON e.a = r.z)
SELECT a, z FROM reach

-- recursive_depth
WITH RECURSIVE edge AS (SELECT DISTINCT id AS a, id + 1 + n % 3 AS z FROM orders WHERE id IS NOT NULL AND n IS NOT NULL),
walk(a, z, depth) AS (
  SELECT a, z, 1 FROM edge UNION SELECT w.a, e.z, w.depth + 1 FROM walk w JOIN edge e ON e.a = w.z WHERE w.depth < 5)
SELECT a, max(z) AS far, max(depth) AS depth FROM walk GROUP BY a

-- recursive_unfold
WITH RECURSIVE part(seq, rest, depth) AS (
  SELECT seq, v, 0 FROM events WHERE v > 0 UNION ALL SELECT seq, rest // 2, depth + 1 FROM part WHERE rest > 1)
SELECT depth, count(*) AS n, sum(rest) AS s FROM part GROUP BY depth

-- case_groups
SELECT CASE WHEN v < 10 THEN 'low' WHEN v < 50 THEN 'middle' WHEN v IS NULL THEN 'none' ELSE 'high' END AS class,
       CASE g WHEN 0 THEN 'zero' WHEN 1 THEN 'one' END AS g, count(*) AS n
FROM events GROUP BY ALL

-- case_join_key
SELECT e.seq, r.label FROM events e JOIN ref r ON CASE WHEN e.b THEN e.k ELSE 'a' END = r.k

-- constants_only
SELECT 1 AS one, 'text' AS text, NULL::DATE AS nothing

-- values_join
SELECT x.name, count(e.seq) AS n FROM (VALUES (0, 'none'), (1, 'one'), (9, 'nine')) x(g, name) LEFT JOIN events e ON e.g = x.g
GROUP BY x.name

-- reference_only
SELECT g, count(*) AS n, max(label) AS label FROM ref GROUP BY g

-- stateless_view
SELECT seq, k, v + 1 AS v FROM events WHERE g IN (1, 2)

-- all_columns
SELECT * FROM events

-- join_all_columns
SELECT e.*, o.amount, o.note FROM events e LEFT JOIN orders o ON e.id = o.id AND e.g = o.g

-- positional_texts
SELECT k, length(k) AS l, max(upper(k)) AS u, min(k || 'é') AS e FROM events GROUP BY k
