-- Nexmark q5: Hot items. Changed: hop(2 s, 10 s) as UNNEST of the five windows of a bid.
WITH counted AS (
  SELECT auction, starts, count(*) AS num
  FROM (SELECT auction, unnest([time_bucket(INTERVAL 2 SECOND, date_time) - INTERVAL 2 SECOND * i for i in range(5)]) AS starts FROM bid)
  GROUP BY auction, starts)
SELECT c.auction, c.num, c.starts FROM counted c
JOIN (SELECT starts, max(num) AS most FROM counted GROUP BY starts) m ON c.starts = m.starts AND c.num >= m.most
