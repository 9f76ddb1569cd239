-- Window functions. Ties are broken by seq; rows of equal seq are equal, so that either may come first.

-- win_row_number
SELECT seq, k, row_number() OVER (PARTITION BY k ORDER BY seq) AS n FROM events

-- win_row_number_filter
SELECT * FROM (SELECT seq, k, v, row_number() OVER (PARTITION BY k ORDER BY v DESC NULLS LAST, seq) AS n FROM events) WHERE n <= 3

-- win_ranks
SELECT seq, rank() OVER w AS r, dense_rank() OVER w AS dr, percent_rank() OVER w AS pr, cume_dist() OVER w AS cd
FROM events WINDOW w AS (PARTITION BY g ORDER BY v)

-- win_ntile
SELECT seq, ntile(4) OVER (PARTITION BY k ORDER BY seq) AS quarter FROM events

-- win_lag_lead
SELECT seq, v, lag(v) OVER w AS before, lead(v) OVER w AS after, lag(v, 2, -1) OVER w AS two_before,
       lead(k, 3, 'none') OVER w AS later
FROM events WINDOW w AS (PARTITION BY id ORDER BY seq)

-- win_lag_ignore_nulls
SELECT seq, lag(v IGNORE NULLS) OVER (PARTITION BY g ORDER BY seq) AS before FROM events

-- win_first_last
SELECT seq, first_value(v) OVER w AS a, last_value(v) OVER w AS z, nth_value(v, 2) OVER w AS second
FROM events WINDOW w AS (PARTITION BY k ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)

-- win_running_sum
SELECT seq, k, sum(v) OVER (PARTITION BY k ORDER BY seq) AS running, count(*) OVER (PARTITION BY k ORDER BY seq) AS n FROM events

-- win_rows
SELECT seq, sum(v) OVER (PARTITION BY g ORDER BY seq ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s,
       avg(f) OVER (PARTITION BY g ORDER BY seq ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS mean,
       max(d) OVER (PARTITION BY g ORDER BY seq ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS hi
FROM events

-- win_range_number
SELECT seq, count(*) OVER (PARTITION BY g ORDER BY v RANGE BETWEEN 10 PRECEDING AND 10 FOLLOWING) AS near FROM events

-- win_range_interval
SELECT seq, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 10 MINUTE PRECEDING AND CURRENT ROW) AS s,
       count(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND INTERVAL 1 MINUTE PRECEDING) AS n
FROM events WHERE ts IS NOT NULL

-- win_groups
SELECT seq, sum(v) OVER (PARTITION BY k ORDER BY g GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s FROM events

-- win_exclude
SELECT seq, sum(v) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE GROUP) AS others
FROM events

-- win_whole_partition
SELECT seq, v, sum(v) OVER (PARTITION BY k) AS total, count(*) OVER (PARTITION BY k) AS n, max(ts) OVER (PARTITION BY k) AS newest
FROM events

-- win_no_partition
SELECT seq, row_number() OVER (ORDER BY seq) AS n, sum(v) OVER (ORDER BY seq) AS running FROM events

-- win_no_partition_no_order
SELECT seq, count(*) OVER () AS n, sum(d) OVER () AS total, v > avg(v) OVER () AS is_high FROM events

-- win_several_partitions
SELECT seq, rank() OVER (PARTITION BY k ORDER BY seq) AS in_k, row_number() OVER (PARTITION BY g ORDER BY seq DESC) AS in_g,
       sum(v) OVER (PARTITION BY k, g) AS of_both, count(*) OVER () AS of_all
FROM events

-- win_same_partition_two_orders
SELECT seq, rank() OVER (PARTITION BY k ORDER BY v) AS up, rank() OVER (PARTITION BY k ORDER BY v DESC) AS down FROM events

-- win_nulls_first
SELECT seq, row_number() OVER (PARTITION BY k ORDER BY v ASC NULLS FIRST, seq) AS a,
       row_number() OVER (PARTITION BY k ORDER BY v DESC NULLS LAST, seq) AS z
FROM events

-- win_partition_expression
SELECT seq, count(*) OVER (PARTITION BY v % 3, b) AS n, row_number() OVER (PARTITION BY coalesce(g, 0) % 2 ORDER BY seq) AS r
FROM events

-- win_partition_double
SELECT seq, count(*) OVER (PARTITION BY x) AS n, rank() OVER (PARTITION BY x ORDER BY seq) AS r FROM events

-- win_order_double
SELECT seq, rank() OVER (PARTITION BY g ORDER BY x) AS r FROM events

-- win_filter
SELECT seq, count(*) FILTER (WHERE b) OVER (PARTITION BY k ORDER BY seq) AS yes FROM events

-- win_distinct
SELECT seq, count(DISTINCT g) OVER (PARTITION BY k ORDER BY seq) AS gs FROM events

-- win_list
SELECT seq, list(v) OVER (PARTITION BY id ORDER BY seq ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS vs FROM events

-- win_median
SELECT seq, median(v) OVER (PARTITION BY k ORDER BY seq ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS m FROM events

-- win_over_aggregate
SELECT k, g, count(*) AS n, rank() OVER (PARTITION BY g ORDER BY count(*) DESC) AS r, sum(count(*)) OVER (PARTITION BY g) AS total
FROM events GROUP BY k, g

-- win_share
SELECT k, sum(d) AS s, round(100.0 * count(*) / sum(count(*)) OVER (), 3) AS share FROM events GROUP BY k

-- win_in_expression
SELECT seq, v - lag(v) OVER (PARTITION BY id ORDER BY seq) AS step,
       CASE WHEN row_number() OVER (PARTITION BY id ORDER BY seq) = 1 THEN 'first' ELSE 'later' END AS place
FROM events

-- win_over_window
SELECT k, seq, sum(is_new) OVER (PARTITION BY k ORDER BY seq) AS run
FROM (SELECT k, seq, (v IS DISTINCT FROM lag(v) OVER (PARTITION BY k ORDER BY seq))::INTEGER AS is_new FROM events)

-- win_over_join
SELECT e.seq, o.seq AS oseq, row_number() OVER (PARTITION BY e.id ORDER BY o.n DESC NULLS LAST, o.seq, e.seq) AS n
FROM events e JOIN orders o ON e.id = o.id

-- win_then_join
SELECT w.seq, w.n, o.seq AS oseq FROM (SELECT seq, id, row_number() OVER (PARTITION BY id ORDER BY seq) AS n FROM events) w
LEFT JOIN orders o ON o.id = w.id AND o.g = w.n

-- win_then_aggregate
SELECT n, count(*) AS rows, sum(v) AS s FROM (SELECT v, row_number() OVER (PARTITION BY k ORDER BY seq) AS n FROM events) GROUP BY n

-- qualify_latest
SELECT * FROM orders QUALIFY row_number() OVER (PARTITION BY k ORDER BY seq DESC) = 1

-- qualify_top
SELECT k, seq, v FROM events QUALIFY rank() OVER (PARTITION BY k ORDER BY v DESC NULLS LAST) <= 2

-- qualify_aggregate
SELECT seq, g, v FROM events WHERE v IS NOT NULL QUALIFY v > avg(v) OVER (PARTITION BY g)

-- qualify_named
SELECT seq, g, sum(v) OVER w AS s FROM events WINDOW w AS (PARTITION BY g ORDER BY seq) QUALIFY count(*) OVER w BETWEEN 2 AND 4
