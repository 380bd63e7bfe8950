SELECT s.name, r.celsius
FROM reading r JOIN station s ON r.number = s.number
WHERE r.celsius IS NOT NULL
ORDER BY r.celsius DESC NULLS LAST, s.name NULLS LAST
LIMIT 1
