-- Monitor new users: who came and opened an auction in the same 10 seconds. Changed: processing time is event
-- time, TUMBLE is written as time_bucket.
SELECT p.id, p.name, p.window_start
FROM (
  SELECT id, name, time_bucket(INTERVAL 10 SECOND, "dateTime") AS window_start
  FROM person
  GROUP BY ALL) p
JOIN (
  SELECT seller, time_bucket(INTERVAL 10 SECOND, "dateTime") AS window_start
  FROM auction
  GROUP BY ALL) a
  ON p.id = a.seller AND p.window_start = a.window_start
