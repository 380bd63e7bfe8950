-- The country of the user with the most followers of all; of several with as many, all their countries.
WITH followed AS (
  SELECT geo.country, max(pin.follower_count) AS follower_count
  FROM pin JOIN geo ON pin.ind = geo.ind
  WHERE geo.country IS NOT NULL AND pin.poster_name IS NOT NULL AND pin.follower_count IS NOT NULL
  GROUP BY geo.country
),
ranked AS (
  SELECT *, rank() OVER (ORDER BY follower_count DESC) AS place FROM followed
)
SELECT country, follower_count
FROM ranked
WHERE place = 1
ORDER BY country NULLS LAST
