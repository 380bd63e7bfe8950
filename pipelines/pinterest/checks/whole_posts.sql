-- A post is three records. One whose others are missing may be on its way (the next batch has them) or a dead letter.
SELECT pin.ind, CASE WHEN geo.ind IS NULL THEN 'geo' ELSE 'user' END AS missing
FROM pin
LEFT JOIN geo ON geo.ind = pin.ind
LEFT JOIN user ON user.ind = pin.ind
WHERE geo.ind IS NULL OR user.ind IS NULL
ORDER BY pin.ind NULLS LAST
