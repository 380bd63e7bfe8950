-- The most popular category in each country; of equally popular ones, all.
WITH counted AS (
  SELECT geo.country, pin.category, count(*) AS category_count
  FROM pin JOIN geo ON pin.ind = geo.ind
  WHERE geo.country IS NOT NULL AND pin.category IS NOT NULL
  GROUP BY geo.country, pin.category
),
ranked AS (
  SELECT *, rank() OVER (PARTITION BY country ORDER BY category_count DESC) AS place FROM counted
)
SELECT country, category, category_count
FROM ranked
WHERE place = 1
ORDER BY country NULLS LAST, category NULLS LAST
