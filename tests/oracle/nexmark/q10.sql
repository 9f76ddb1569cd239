-- Nexmark q10: Log to the file system. Changed: strftime; the sink is a table.
SELECT auction, bidder, price, date_time, extra, strftime(date_time, '%Y-%m-%d') AS day, strftime(date_time, '%H:%M') AS minute FROM bid
