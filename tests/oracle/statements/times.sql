-- Event time: tumbling and hopping windows as group keys, sessions, dates.

-- tumble
SELECT time_bucket(INTERVAL 10 MINUTE, ts) AS w, count(*) AS n, sum(v) AS s FROM events GROUP BY w

-- tumble_by_key
SELECT k, time_bucket(INTERVAL 5 MINUTE, ts) AS w, count(*) AS n, sum(d) AS s, min(v) AS lo, avg(f) AS f FROM events GROUP BY ALL

-- tumble_origin
SELECT time_bucket(INTERVAL 7 MINUTE, ts, TIMESTAMP '2024-01-01 00:03:00') AS w, count(*) AS n FROM events GROUP BY w

-- tumble_offset
SELECT time_bucket(INTERVAL 1 HOUR, ts, INTERVAL 15 MINUTE) AS w, max(v) AS hi FROM events GROUP BY w

-- tumble_distinct
SELECT time_bucket(INTERVAL 30 MINUTE, ts) AS w, count(DISTINCT k) AS ks, count(DISTINCT id) FILTER (WHERE b) AS ids FROM events GROUP BY w

-- tumble_median
SELECT time_bucket(INTERVAL 20 MINUTE, ts) AS w, median(v) AS m, list(seq ORDER BY seq) AS seqs FROM events GROUP BY w

-- tumble_top
SELECT w, k, n FROM (SELECT time_bucket(INTERVAL 15 MINUTE, ts) AS w, k, count(*) AS n FROM events GROUP BY ALL)
QUALIFY row_number() OVER (PARTITION BY w ORDER BY n DESC, k NULLS LAST) = 1

-- tumble_max_rows
SELECT e.seq, e.v, m.w FROM events e JOIN (SELECT time_bucket(INTERVAL 15 MINUTE, ts) AS w, max(v) AS top FROM events GROUP BY w) m
ON e.v = m.top AND time_bucket(INTERVAL 15 MINUTE, e.ts) = m.w

-- tumble_join
SELECT a.w, a.n, b.total FROM (SELECT time_bucket(INTERVAL 10 MINUTE, ts) AS w, count(*) AS n FROM events GROUP BY w) a
LEFT JOIN (SELECT time_bucket(INTERVAL 10 MINUTE, ts) AS w, sum(amount) AS total FROM orders GROUP BY w) b ON a.w = b.w

-- tumble_join_in_window
SELECT e.seq, o.seq AS oseq, time_bucket(INTERVAL 10 MINUTE, e.ts) AS w FROM events e JOIN orders o
ON e.k = o.k AND time_bucket(INTERVAL 10 MINUTE, e.ts) = time_bucket(INTERVAL 10 MINUTE, o.ts)

-- tumble_two_sizes
SELECT h.w, h.n AS of_hour, count(*) AS tens FROM (SELECT time_bucket(INTERVAL 1 HOUR, ts) AS w, count(*) AS n FROM events GROUP BY w) h
JOIN (SELECT DISTINCT time_bucket(INTERVAL 10 MINUTE, ts) AS w FROM events) t ON time_bucket(INTERVAL 1 HOUR, t.w) = h.w GROUP BY ALL

-- hop
SELECT w, count(*) AS n, sum(v) AS s
FROM (SELECT v, unnest([time_bucket(INTERVAL 5 MINUTE, ts) - INTERVAL 5 MINUTE * i for i in range(4)]) AS w FROM events WHERE ts IS NOT NULL)
GROUP BY w

-- hop_by_key
SELECT k, w, count(*) AS n, max(d) AS hi
FROM (SELECT k, d, unnest(range(time_bucket(INTERVAL 10 MINUTE, ts) - INTERVAL 20 MINUTE, time_bucket(INTERVAL 10 MINUTE, ts) + INTERVAL 1 MINUTE, INTERVAL 10 MINUTE)) AS w FROM events)
GROUP BY k, w

-- hop_hottest
WITH h AS (SELECT k, w, count(*) AS n FROM (SELECT k, unnest([time_bucket(INTERVAL 10 MINUTE, ts) - INTERVAL 10 MINUTE * i for i in range(3)]) AS w FROM events WHERE ts IS NOT NULL) GROUP BY k, w)
SELECT k, w, n FROM h QUALIFY n >= max(n) OVER (PARTITION BY w)

-- session
WITH marked AS (
  SELECT k, ts, seq, v, coalesce(ts - lag(ts) OVER (PARTITION BY k ORDER BY ts, seq) > INTERVAL 5 MINUTE, true) AS is_first
  FROM events WHERE ts IS NOT NULL),
numbered AS (SELECT *, sum(is_first::INTEGER) OVER (PARTITION BY k ORDER BY ts, seq) AS session FROM marked)
SELECT k, session, min(ts) AS begins, max(ts) AS ends, count(*) AS n, sum(v) AS s FROM numbered GROUP BY k, session

-- session_lengths
WITH marked AS (SELECT id, ts, seq, coalesce(ts > lag(ts) OVER w + INTERVAL 10 MINUTE, true) AS is_first FROM events WHERE ts IS NOT NULL WINDOW w AS (PARTITION BY id ORDER BY ts, seq)),
numbered AS (SELECT *, count(*) FILTER (WHERE is_first) OVER (PARTITION BY id ORDER BY ts, seq) AS session FROM marked)
SELECT n, count(*) AS sessions FROM (SELECT id, session, count(*) AS n FROM numbered GROUP BY ALL) GROUP BY n

-- by_day
SELECT dt, date_trunc('month', dt) AS month, extract(dow FROM dt) AS dow, count(*) AS n FROM events GROUP BY ALL

-- by_hour
SELECT date_trunc('hour', ts) AS h, extract(minute FROM ts) // 20 AS third, count(*) AS n FROM events GROUP BY ALL

-- by_epoch
SELECT epoch(ts)::BIGINT // 600 AS slot, count(*) AS n, max(ts) - min(ts) AS width FROM events GROUP BY slot

-- cumulative_by_day
SELECT dt, sum(sum(v)) OVER (ORDER BY dt) AS running FROM events WHERE dt IS NOT NULL GROUP BY dt

-- time_extremes
SELECT tx, date_trunc('year', tx) AS y, count(*) AS n FROM events WHERE tx > '1900-01-01' GROUP BY ALL

-- next_event
SELECT seq, lead(ts) OVER (PARTITION BY k ORDER BY ts, seq) - ts AS gap FROM events WHERE ts IS NOT NULL
