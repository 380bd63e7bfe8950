-- How many users joined in each year, 2015 to 2020; a user is a name, an age and a moment of joining.
WITH users AS (
  SELECT DISTINCT user_name, age, date_joined
  FROM user
  WHERE year(date_joined) BETWEEN 2015 AND 2020
)
SELECT CAST(year(date_joined) AS INT) AS post_year, count(*) AS number_users_joined
FROM users
GROUP BY year(date_joined)
ORDER BY post_year NULLS LAST
