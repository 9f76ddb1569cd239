-- Nexmark q6: Average selling price by seller. Changed: over the winning bid of each auction so far; ties broken by all columns.
WITH won AS (
  SELECT a.id, a.seller, b.price, b.date_time FROM auction a
  JOIN bid b ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
  QUALIFY row_number() OVER (PARTITION BY a.id, a.seller ORDER BY b.price DESC, b.date_time) = 1)
SELECT id, seller, avg(price) OVER (PARTITION BY seller ORDER BY date_time, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS mean
FROM won
