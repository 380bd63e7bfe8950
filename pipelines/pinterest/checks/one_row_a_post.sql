-- Two different rows under one number: the source was changed between two posts of it, or repeats are kept.
SELECT ind, count(*) AS rows_of_it
FROM pin
GROUP BY ind
HAVING count(*) > 1
ORDER BY ind NULLS LAST
