-- Aggregates by group: every kind, with FILTER, DISTINCT and ORDER BY. See tests/oracle/statements.py for the form
-- of these files, and rows.py for the tables. Ties are broken by seq: rows with equal seq are equal altogether.

-- v_by_k
SELECT k, count(*) AS n, count(v) AS nv, sum(v) AS s, min(v) AS lo, max(v) AS hi, avg(v) AS mean
FROM events GROUP BY k

-- v_by_g
SELECT g, count(*) AS n, sum(d) AS d, avg(d) AS mean_d, sum(f) AS f, avg(f) AS mean_f, min(seq) AS first_seq,
       max(seq) AS last_seq
FROM events GROUP BY g

-- agg_sum_wide
SELECT g, sum(big) AS s, min(big) AS lo, max(big) AS hi, count(big) AS n FROM events GROUP BY g

-- agg_avg_wide
SELECT k, avg(big) AS mean, avg(CAST(v AS HUGEINT)) AS mean_huge FROM events GROUP BY k

-- agg_min_max_kinds
SELECT g, min(d) AS d0, max(d) AS d1, min(e) AS e0, max(e) AS e1, min(x) AS x0, max(x) AS x1, min(ts) AS t0,
       max(ts) AS t1, min(tx) AS tx0, max(tx) AS tx1, min(dt) AS dt0, max(dt) AS dt1
FROM events GROUP BY g

-- agg_min_max_texts
SELECT g, min(k) AS k0, max(k) AS k1, min(b) AS b0, max(b) AS b1 FROM events GROUP BY g

-- agg_min_max_lists
SELECT g, min(tags) AS t0, max(tags) AS t1, min(pt) AS p0, max(pt) AS p1 FROM events GROUP BY g

-- agg_two_keys
SELECT k, g, count(*) AS n, sum(v) AS s FROM events GROUP BY k, g

-- agg_many_keys
SELECT k, g, b, dt, id % 3 AS m, count(*) AS n FROM events GROUP BY ALL

-- agg_by_expression
SELECT coalesce(upper(k), '?') || '/' || coalesce(g, -1) AS key, sum(v + 1) AS s, count(DISTINCT id % 4) AS ids
FROM events GROUP BY 1

-- agg_by_double
SELECT x, count(*) AS n, sum(v) AS s FROM events GROUP BY x

-- agg_by_decimal
SELECT e, count(*) AS n, max(seq) AS last_seq FROM events GROUP BY e

-- agg_by_time
SELECT tx, count(*) AS n, min(id) AS lo FROM events GROUP BY tx

-- agg_by_date
SELECT dt, count(*) AS n, sum(d) AS s FROM events GROUP BY dt

-- agg_by_flag
SELECT b, count(*) AS n, sum(d) AS s, avg(f) AS f FROM events GROUP BY b

-- agg_by_list
SELECT tags, count(*) AS n, sum(v) AS s FROM events GROUP BY tags

-- agg_by_struct
SELECT pt, count(*) AS n, sum(v) AS s FROM events GROUP BY pt

-- agg_no_groups
SELECT count(*) AS n, count(v) AS nv, sum(v) AS s, avg(d) AS d, min(ts) AS t0, max(k) AS k1 FROM events

-- agg_no_groups_empty
SELECT count(*) AS n, sum(v) AS s, min(k) AS lo, avg(f) AS f, list(v) AS l, bool_and(b) AS b FROM events WHERE seq < 0

-- agg_groups_empty
SELECT k, count(*) AS n FROM events WHERE seq < 0 GROUP BY k

-- agg_count_star_only
SELECT count(*) AS n FROM events WHERE v > 20

-- agg_count_distinct
SELECT k, count(DISTINCT v) AS v, count(DISTINCT g) AS g, count(DISTINCT x) AS x, count(DISTINCT tags) AS tags
FROM events GROUP BY k

-- agg_count_distinct_no_groups
SELECT count(DISTINCT k) AS k, count(DISTINCT id) AS id, count(DISTINCT e) AS e FROM events

-- agg_count_distinct_rows
SELECT g, count(DISTINCT (k, v)) AS pairs FROM events GROUP BY g

-- agg_sum_distinct
SELECT g, sum(DISTINCT v) AS s, avg(DISTINCT d) AS mean, max(DISTINCT v) AS hi, sum(v) AS all_of_it FROM events GROUP BY g

-- agg_filter
SELECT k, count(*) FILTER (WHERE b) AS yes, count(*) FILTER (WHERE NOT b) AS no, sum(v) FILTER (WHERE v > 50) AS high,
       min(ts) FILTER (WHERE g = 1) AS t, count(*) AS n
FROM events GROUP BY k

-- agg_filter_distinct
SELECT g, count(DISTINCT k) FILTER (WHERE v > 10) AS ks, sum(DISTINCT v) FILTER (WHERE b IS NOT NULL) AS s
FROM events GROUP BY g

-- agg_filter_no_groups
SELECT count(*) FILTER (WHERE b) AS yes, sum(d) FILTER (WHERE d < 0) AS minus, max(v) FILTER (WHERE k IS NULL) AS hi
FROM events

-- agg_having
SELECT k, sum(v) AS s FROM events GROUP BY k HAVING count(*) > 3 AND sum(v) IS NOT NULL

-- agg_having_other_aggregate
SELECT id FROM events GROUP BY id HAVING max(d) - min(d) > 100 OR count(DISTINCT k) = 1

-- agg_having_no_groups
SELECT count(*) AS n, sum(v) AS s FROM events HAVING count(*) > 20

-- agg_bool
SELECT k, bool_and(b) AS a, bool_or(b) AS o, bool_and(v > 0) AS positive, count_if(b) AS yes FROM events GROUP BY k

-- agg_bits
SELECT g, bit_and(v) AS a, bit_or(v) AS o, bit_xor(v) AS x FROM events GROUP BY g

-- agg_any_value
SELECT g % 2 AS parity, any_value(g % 2) AS same, count(*) AS n FROM events GROUP BY g % 2

-- agg_variance
SELECT k, var_samp(f) AS a, var_pop(f) AS b, stddev_samp(f) AS c, stddev_pop(v) AS d, sem(f) AS e FROM events GROUP BY k

-- agg_variance_no_groups
SELECT stddev(f) AS s, variance(v) AS v, stddev_pop(d) AS d FROM events

-- agg_regression
SELECT g, covar_pop(f, v) AS a, covar_samp(f, v) AS b, regr_count(f, v) AS n, regr_avgx(f, v) AS x, regr_avgy(f, v) AS y
FROM events GROUP BY g

-- agg_moments
SELECT g % 2 AS m, skewness(f) AS s, kurtosis(f) AS k, entropy(v % 4) AS e FROM events GROUP BY 1

-- agg_first_last_ordered
SELECT k, first(v ORDER BY seq) AS a, last(v ORDER BY seq) AS z, first(d ORDER BY v DESC NULLS LAST, seq) AS top
FROM events GROUP BY k

-- agg_list_ordered
SELECT g, list(v ORDER BY seq) AS vs, array_agg(k ORDER BY k DESC NULLS LAST, seq) AS ks FROM events GROUP BY g

-- agg_list_sorted
SELECT k, list_sort(list(v)) AS vs, len(list(d)) AS n FROM events GROUP BY k

-- agg_list_distinct
SELECT k, list(DISTINCT v ORDER BY v) AS vs, list_sort(list(DISTINCT g)) AS gs FROM events GROUP BY k

-- agg_list_filter
SELECT g, list(seq ORDER BY seq DESC) FILTER (WHERE b) AS yes FROM events GROUP BY g

-- agg_list_of_structs
SELECT k, list({'s': seq, 'v': v} ORDER BY seq) AS rows FROM events GROUP BY k

-- agg_string_agg
SELECT g, string_agg(k, ',' ORDER BY seq) AS a, string_agg(DISTINCT k, '|' ORDER BY k) AS b,
       string_agg(v::VARCHAR, '' ORDER BY seq DESC) FILTER (WHERE v > 30) AS c
FROM events GROUP BY g

-- agg_string_agg_no_groups
SELECT string_agg(coalesce(k, 'null'), ' ' ORDER BY seq) AS all_of_it FROM events

-- agg_arg_max
SELECT k, arg_max(v, seq) AS newest, arg_min(d, seq) AS oldest, max_by(g, seq) AS g, arg_max(seq, (v, seq)) AS at
FROM events GROUP BY k

-- agg_arg_max_n
SELECT g, arg_max(v, seq, 3) AS newest, max(v, 2) AS two, min(d, 3) AS three FROM events GROUP BY g

-- agg_median
SELECT k, median(v) AS v, median(f) AS f, median(d) AS d FROM events GROUP BY k

-- agg_quantile
SELECT g, quantile_cont(f, 0.25) AS a, quantile_disc(v, 0.9) AS b, quantile_disc(ts, 0.5) AS t,
       quantile_disc(v, [0.1, 0.5, 0.9]) AS c
FROM events GROUP BY g

-- agg_quantile_no_groups
SELECT median(v) AS m, quantile_cont(v, [0.05, 0.95]) AS q, mad(v) AS mad FROM events

-- agg_percentile_within
SELECT k, percentile_disc(0.5) WITHIN GROUP (ORDER BY v DESC) AS p, percentile_cont(0.5) WITHIN GROUP (ORDER BY f) AS c
FROM events GROUP BY k

-- agg_mode
SELECT k, mode(m) AS m FROM (SELECT k, seq % 3 = 0 AS m FROM events) GROUP BY k
HAVING count(*) FILTER (WHERE m) * 2 <> count(*)

-- agg_product
SELECT g, product(1 + (seq % 2)) AS p FROM events GROUP BY g

-- agg_histogram
SELECT k, histogram(g) AS h FROM events GROUP BY k

-- agg_approximate_distinct
SELECT g, approx_count_distinct(v) AS n FROM events GROUP BY g

-- agg_in_expressions
SELECT k, sum(v) / count(*) AS ratio, CASE WHEN count(*) > 5 THEN 'many' ELSE 'few' END AS size,
       coalesce(max(v), 0) - coalesce(min(v), 0) AS width, round(avg(d), 1) AS d
FROM events GROUP BY k

-- agg_of_case
SELECT g, sum(CASE WHEN b THEN v ELSE -v END) AS s, count(CASE WHEN v > 50 THEN 1 END) AS n,
       avg(CASE WHEN k = 'hot' THEN d END) AS hot
FROM events GROUP BY g

-- agg_twice
SELECT n, count(*) AS groups FROM (SELECT k, count(*) AS n FROM events GROUP BY k) GROUP BY n

-- agg_three_times
SELECT max(groups) AS most, count(*) AS sizes
FROM (SELECT n, count(*) AS groups FROM (SELECT id, count(*) AS n FROM events GROUP BY id) GROUP BY n)

-- agg_of_sums
SELECT max(s) AS top, min(s) AS bottom, sum(s) AS total, avg(s) AS mean FROM (SELECT k, sum(d) AS s FROM events GROUP BY k)

-- agg_filtered_input
SELECT k, count(*) AS n, sum(v) AS s FROM events WHERE v BETWEEN 10 AND 60 AND k IS NOT NULL GROUP BY k

-- agg_over_union
SELECT k, sum(v) AS s, count(*) AS n
FROM (SELECT k, v FROM events UNION ALL SELECT k, n FROM orders UNION ALL SELECT k, lo FROM ref) GROUP BY k

-- agg_same_twice
SELECT k, sum(v) AS a, sum(v) AS b, sum(v) + 1 AS c, count(*) AS n FROM events GROUP BY k

-- agg_keys_unused
SELECT count(*) AS n FROM events GROUP BY k, g

-- agg_keys_only
SELECT k, g FROM events GROUP BY k, g

-- agg_constant_key
SELECT 'all' AS key, count(*) AS n, sum(v) AS s FROM events GROUP BY 1

-- grouping_sets
SELECT k, g, count(*) AS n, sum(v) AS s FROM events GROUP BY GROUPING SETS ((k), (g), (k, g), ())

-- rollup
SELECT g, b, count(*) AS n, sum(d) AS s, grouping(g, b) AS level FROM events GROUP BY ROLLUP (g, b)

-- cube
SELECT g, b, count(*) AS n, max(v) AS hi FROM events GROUP BY CUBE (g, b)

-- grouping_sets_having
SELECT k, b, count(DISTINCT v) AS n FROM events GROUP BY GROUPING SETS ((k), (b)) HAVING count(*) > 2

-- grouping_sets_empty
SELECT k, count(*) AS n FROM events WHERE seq < 0 GROUP BY GROUPING SETS ((k), ())

-- by_interval
SELECT p::VARCHAR AS p, n, s FROM (SELECT to_days(30 * (g % 4)) AS p, count(*) AS n, sum(v) AS s FROM events GROUP BY p)
