-- Views over views over views. A statement that others read is called v_…; they read it by that name.

-- v_latest
SELECT * FROM events QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq DESC) = 1

-- v_totals
SELECT k, count(*) AS n, sum(v) AS s, max(seq) AS last_seq FROM v_latest GROUP BY k

-- v_ranked
SELECT k, n, s, rank() OVER (ORDER BY n DESC, k) AS place FROM v_totals

-- v_joined
SELECT l.seq, l.k, l.v, t.n, t.s FROM v_latest l JOIN v_totals t ON l.k = t.k

-- v_sizes
SELECT n, count(*) AS keys FROM v_totals GROUP BY n

-- v_distinct_sizes
SELECT DISTINCT keys FROM v_sizes

-- v_of_orders
SELECT id, sum(amount) AS amount, arg_max(k, seq) AS k FROM orders GROUP BY id

-- v_diamond
SELECT t.k, t.n, o.m FROM v_totals t FULL JOIN (SELECT k, count(*) AS m FROM v_of_orders GROUP BY k) o ON t.k = o.k

-- chain_of_join
SELECT k, count(*) AS n, sum(v) AS v, min(s) AS s FROM v_joined GROUP BY k

-- chain_top
SELECT k, n FROM v_totals ORDER BY n DESC, k NULLS LAST LIMIT 4

-- chain_scalar
SELECT count(*) AS n, sum(s) AS s, max(n) AS top, avg(n) AS mean FROM v_totals

-- chain_scalar_subquery
SELECT k, n FROM v_totals WHERE n > (SELECT avg(n) FROM v_totals)

-- chain_except
SELECT k FROM v_totals EXCEPT SELECT k FROM v_of_orders

-- chain_except_all
SELECT n FROM v_totals EXCEPT ALL SELECT keys FROM v_sizes

-- chain_union
SELECT k, n FROM v_totals UNION ALL SELECT k, m FROM v_diamond

-- chain_anti
SELECT l.seq, l.id FROM v_latest l ANTI JOIN v_of_orders o ON o.id = l.id

-- chain_not_in
SELECT seq, g FROM v_latest WHERE g NOT IN (SELECT n FROM v_sizes)

-- chain_window
SELECT n, keys, sum(keys) OVER (ORDER BY n) AS running, lag(n) OVER (ORDER BY n) AS before FROM v_sizes

-- chain_median
SELECT median(n) AS m, quantile_disc(s, 0.5) AS q, list(n ORDER BY n) AS l FROM v_totals

-- chain_distinct_on
SELECT DISTINCT ON (n) n, k, s FROM v_totals ORDER BY n, k NULLS LAST

-- chain_ranked_join
SELECT a.place, a.k, b.k AS next FROM v_ranked a LEFT JOIN v_ranked b ON b.place = a.place + 1

-- chain_min_max
SELECT min(n) AS lo, max(n) AS hi, min(k) AS k0, max(last_seq) AS seq FROM v_totals

-- chain_grouping_sets
SELECT n, k IS NULL AS no_key, count(*) AS c FROM v_totals GROUP BY ROLLUP (n, k IS NULL)

-- chain_depth
SELECT count(*) AS c, sum(keys) AS k FROM v_distinct_sizes

-- chain_unnest
SELECT tag, count(*) AS n FROM (SELECT unnest(tags) AS tag FROM v_latest) GROUP BY tag

-- chain_with_stream
SELECT e.seq, t.n FROM events e LEFT JOIN v_totals t ON e.k = t.k

-- chain_semi
SELECT e.seq FROM events e WHERE e.k IN (SELECT k FROM v_totals WHERE n > 2)

-- chain_update_of_join_key
SELECT o.k, count(*) AS n, sum(l.v) AS v FROM v_latest l JOIN v_of_orders o ON l.id = o.id GROUP BY o.k
