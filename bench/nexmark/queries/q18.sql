-- Last bid of each bidder on each auction. Changed: bids of one millisecond are told apart by price and extra,
-- so that there is one answer.
SELECT auction, bidder, price, channel, url, "dateTime", extra
FROM (
  SELECT *, row_number() OVER (PARTITION BY bidder, auction ORDER BY "dateTime" DESC, price DESC, extra) AS place
  FROM bid)
WHERE place = 1
