-- The median follower count of the users who joined in each year, 2015 to 2020.
SELECT
  CAST(year(user.date_joined) AS INT) AS post_year,
  CAST(percentile_disc(0.5) WITHIN GROUP (ORDER BY pin.follower_count) AS BIGINT) AS median_follower_count
FROM pin JOIN user ON pin.ind = user.ind
WHERE year(user.date_joined) BETWEEN 2015 AND 2020
GROUP BY year(user.date_joined)
ORDER BY post_year NULLS LAST
