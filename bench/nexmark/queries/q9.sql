-- Winning bids. Changed: ties of price and time are broken by bidder and extra, so that there is one answer.
SELECT * EXCLUDE (place)
FROM (
  SELECT a.id, a."itemName", a.description, a."initialBid", a.reserve, a."dateTime", a.expires, a.seller,
    a.category, a.extra, b.auction, b.bidder, b.price, b."dateTime" AS "bid_dateTime", b.extra AS bid_extra,
    row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b."dateTime", b.bidder, b.extra) AS place
  FROM auction a JOIN bid b ON a.id = b.auction
  WHERE b."dateTime" BETWEEN a."dateTime" AND a.expires)
WHERE place = 1
