-- Average closing price of a category. Changed: the average is a DOUBLE, in the original a BIGINT.
SELECT category, avg(final) AS final
FROM (
  SELECT max(b.price) AS final, a.category
  FROM auction a JOIN bid b ON a.id = b.auction
  WHERE b."dateTime" BETWEEN a."dateTime" AND a.expires
  GROUP BY a.id, a.category)
GROUP BY category
