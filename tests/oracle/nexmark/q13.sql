-- Nexmark q13: Bounded side input join. Changed: the side input is a reference; modulo 100.
SELECT b.auction, b.bidder, b.price, b.date_time, s.value FROM bid b JOIN side_input s ON b.auction % 100 = s.key
