-- Pass through. As in the original.
SELECT auction, bidder, price, "dateTime", extra
FROM bid
