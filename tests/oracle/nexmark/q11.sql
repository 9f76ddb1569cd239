-- Nexmark q11: User sessions. Changed: session(10 s) as a window over the gaps.
WITH marked AS (
  SELECT bidder, date_time, coalesce(date_time >= lag(date_time) OVER w + INTERVAL 10 SECOND, true) AS is_first
  FROM bid WINDOW w AS (PARTITION BY bidder ORDER BY date_time)),
numbered AS (SELECT *, count(*) FILTER (WHERE is_first) OVER (PARTITION BY bidder ORDER BY date_time) AS session FROM marked)
SELECT bidder, count(*) AS bid_count, min(date_time) AS starttime, max(date_time) + INTERVAL 10 SECOND AS endtime
FROM numbered GROUP BY bidder, session
