-- Nexmark q8: Monitor new users. Changed: tumble(10 s) as time_bucket.
SELECT p.id, p.name, p.starts
FROM (SELECT id, name, time_bucket(INTERVAL 10 SECOND, date_time) AS starts FROM person GROUP BY ALL) p
JOIN (SELECT seller, time_bucket(INTERVAL 10 SECOND, date_time) AS starts FROM auction GROUP BY ALL) a
ON p.id = a.seller AND p.starts = a.starts
