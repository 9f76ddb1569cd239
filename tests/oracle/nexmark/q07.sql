-- Nexmark q7: Highest bid. Changed: tumble(10 s) as time_bucket.
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra FROM bid b
JOIN (SELECT max(price) AS most, time_bucket(INTERVAL 10 SECOND, date_time) AS starts FROM bid GROUP BY starts) m
ON b.price = m.most AND b.date_time >= m.starts AND b.date_time < m.starts + INTERVAL 10 SECOND
