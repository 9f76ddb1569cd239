-- Nexmark q18: Last bid. Changed: QUALIFY; ties broken by all columns.
SELECT auction, bidder, price, channel, url, date_time, extra FROM bid
QUALIFY row_number() OVER (PARTITION BY bidder, auction ORDER BY date_time DESC, price, extra, url, channel) = 1
