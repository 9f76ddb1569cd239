-- Nexmark q0: Pass through. Changed: nothing.
SELECT auction, bidder, price, date_time, extra FROM bid
