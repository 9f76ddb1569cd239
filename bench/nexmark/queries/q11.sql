-- User sessions: bids of each period in which a bidder was active. Changed: processing time is event time;
-- SESSION of 10 seconds is written as a running count of the pauses.
WITH marked AS (
  SELECT bidder, "dateTime",
    "dateTime" - lag("dateTime") OVER (PARTITION BY bidder ORDER BY "dateTime") <= INTERVAL 10 SECOND AS goes_on
  FROM bid),
numbered AS (
  SELECT bidder, "dateTime",
    sum(CASE WHEN goes_on THEN 0 ELSE 1 END) OVER (PARTITION BY bidder ORDER BY "dateTime") AS session
  FROM marked)
SELECT bidder, count(*) AS bid_count, min("dateTime") AS starttime, max("dateTime") AS endtime
FROM numbered
GROUP BY bidder, session
