-- Nexmark q12: Processing time windows. Changed: event time, for an answer that can be checked.
SELECT bidder, count(*) AS bid_count, time_bucket(INTERVAL 10 SECOND, date_time) AS starttime FROM bid GROUP BY bidder, starttime
