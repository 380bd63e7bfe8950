SELECT
  CASE WHEN regexp_extract(number, '^-?[0-9]{1,18}$', 0) = number THEN CAST(number AS BIGINT) END AS number,
  CASE WHEN regexp_extract(station, '^-?[0-9]{1,9}$', 0) = station THEN CAST(station AS INT) END AS station,
  NULLIF(name, '') AS name,
  CASE WHEN regexp_extract(height, '^-?[0-9]{1,5}([.][0-9]{1,9})?$', 0) = height
       THEN CAST(height AS DOUBLE) END AS height,
  CASE WHEN regexp_extract(number, '^-?[0-9]{1,18}$', 0) IS NULL
         OR regexp_extract(number, '^-?[0-9]{1,18}$', 0) <> number THEN 'no whole number in number'
       WHEN station IS NULL AND name IS NULL AND height IS NULL THEN 'no column of this table'
  END AS reason,
  origin
FROM raw
