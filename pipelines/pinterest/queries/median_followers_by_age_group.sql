-- The median follower count in each age group: an element of the data (the lower of the two in the middle).
WITH grouped AS (
  SELECT
    CASE WHEN age BETWEEN 18 AND 24 THEN '18-24' WHEN age BETWEEN 25 AND 35 THEN '25-35'
         WHEN age BETWEEN 36 AND 50 THEN '36-50' WHEN age > 50 THEN '+50' END AS age_group,
    ind
  FROM user
)
SELECT grouped.age_group, CAST(percentile_disc(0.5) WITHIN GROUP (ORDER BY pin.follower_count) AS BIGINT) AS median_follower_count
FROM pin JOIN grouped ON pin.ind = grouped.ind
WHERE grouped.age_group IS NOT NULL
GROUP BY grouped.age_group
ORDER BY CASE age_group WHEN '+50' THEN 1 ELSE 0 END NULLS LAST, age_group NULLS LAST
