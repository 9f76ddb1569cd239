-- Hot items: the auctions with most bids in each window of 10 seconds, every 2 seconds.
-- Changed: HOP is written as the five begins of windows that hold a bid; the begin is in the answer.
WITH counts AS (
  SELECT auction, window_start, count(*) AS num
  FROM (
    SELECT auction, unnest([last_start, last_start - INTERVAL 2 SECOND, last_start - INTERVAL 4 SECOND,
                            last_start - INTERVAL 6 SECOND, last_start - INTERVAL 8 SECOND]) AS window_start
    FROM (SELECT auction, time_bucket(INTERVAL 2 SECOND, "dateTime") AS last_start FROM bid))
  GROUP BY auction, window_start)
SELECT c.auction, c.num, c.window_start
FROM counts c
JOIN (SELECT window_start, max(num) AS most FROM counts GROUP BY window_start) m
  ON c.window_start = m.window_start AND c.num >= m.most
