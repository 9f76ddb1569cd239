-- Currency conversion. As in the original.
SELECT auction, bidder, 0.908 * price AS price, "dateTime", extra
FROM bid
