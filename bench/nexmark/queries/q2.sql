-- Selection. As in the original.
SELECT auction, price
FROM bid
WHERE auction % 123 = 0
