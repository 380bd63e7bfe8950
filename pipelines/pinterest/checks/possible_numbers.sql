-- Numbers that no post can have: the cleaning should have made them NULL, or the record a dead letter.
SELECT 'pin' AS record, ind, 'follower_count' AS field, follower_count AS found FROM pin WHERE follower_count < 0
UNION ALL
SELECT 'user' AS record, ind, 'age' AS field, CAST(age AS BIGINT) AS found FROM user WHERE age < 0 OR age > 150
