-- The user with the most followers in each country; of several with as many, all.
WITH followed AS (
  SELECT geo.country, pin.poster_name, max(pin.follower_count) AS follower_count
  FROM pin JOIN geo ON pin.ind = geo.ind
  WHERE geo.country IS NOT NULL AND pin.poster_name IS NOT NULL AND pin.follower_count IS NOT NULL
  GROUP BY geo.country, pin.poster_name
),
ranked AS (
  SELECT *, rank() OVER (PARTITION BY country ORDER BY follower_count DESC) AS place FROM followed
)
SELECT country, poster_name, follower_count
FROM ranked
WHERE place = 1
ORDER BY country NULLS LAST, poster_name NULLS LAST
