-- Highest bid of each 10 seconds. Changed: TUMBLE is written as time_bucket, and the window of a bid is
-- compared by its begin.
WITH windowed AS (
  SELECT *, time_bucket(INTERVAL 10 SECOND, "dateTime") AS window_start
  FROM bid)
SELECT b.auction, b.price, b.bidder, b."dateTime", b.extra
FROM windowed b
JOIN (SELECT window_start, max(price) AS most FROM windowed GROUP BY window_start) m
  ON b.window_start = m.window_start AND b.price = m.most
