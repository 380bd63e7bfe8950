-- The most popular category in each age group; of equally popular ones, all. Who is under 18, or of no known age, is in
-- no group.
WITH grouped AS (
  SELECT
    CASE WHEN age BETWEEN 18 AND 24 THEN '18-24' WHEN age BETWEEN 25 AND 35 THEN '25-35'
         WHEN age BETWEEN 36 AND 50 THEN '36-50' WHEN age > 50 THEN '+50' END AS age_group,
    ind
  FROM user
),
counted AS (
  SELECT grouped.age_group, pin.category, count(*) AS category_count
  FROM pin JOIN grouped ON pin.ind = grouped.ind
  WHERE grouped.age_group IS NOT NULL AND pin.category IS NOT NULL
  GROUP BY grouped.age_group, pin.category
),
ranked AS (
  SELECT *, rank() OVER (PARTITION BY age_group ORDER BY category_count DESC) AS place FROM counted
)
SELECT age_group, category, category_count
FROM ranked
WHERE place = 1
ORDER BY CASE age_group WHEN '+50' THEN 1 ELSE 0 END NULLS LAST, age_group NULLS LAST, category NULLS LAST
