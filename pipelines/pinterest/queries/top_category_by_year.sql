-- The most popular category in each year of posting, 2018 to 2022; of equally popular ones, all.
WITH counted AS (
  SELECT CAST(year(geo.timestamp) AS INT) AS post_year, pin.category, count(*) AS category_count
  FROM pin JOIN geo ON pin.ind = geo.ind
  WHERE year(geo.timestamp) BETWEEN 2018 AND 2022 AND pin.category IS NOT NULL
  GROUP BY year(geo.timestamp), pin.category
),
ranked AS (
  SELECT *, rank() OVER (PARTITION BY post_year ORDER BY category_count DESC) AS place FROM counted
)
SELECT post_year, category, category_count
FROM ranked
WHERE place = 1
ORDER BY post_year NULLS LAST, category NULLS LAST
