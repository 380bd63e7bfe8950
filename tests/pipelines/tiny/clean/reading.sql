-- A reading needs its number and a time; a temperature that is no number becomes null and is counted.
SELECT
  CASE WHEN regexp_extract(number, '^-?[0-9]{1,18}$', 0) = number THEN CAST(number AS BIGINT) END AS number,
  CASE WHEN regexp_extract(station, '^-?[0-9]{1,9}$', 0) = station THEN CAST(station AS INT) END AS station,
  CASE WHEN regexp_extract(taken, '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$', 0) = taken
       THEN TRY_CAST(taken AS TIMESTAMP) END AS taken,
  CASE WHEN regexp_extract(celsius, '^-?[0-9]{1,3}([.][0-9]{1,9})?$', 0) = celsius
       THEN CAST(celsius AS DOUBLE) END AS celsius,
  NULLIF(remark, '') AS remark,
  CASE WHEN regexp_extract(number, '^-?[0-9]{1,18}$', 0) IS NULL
         OR regexp_extract(number, '^-?[0-9]{1,18}$', 0) <> number THEN 'no whole number in number'
       WHEN station IS NULL AND taken IS NULL AND celsius IS NULL AND remark IS NULL THEN 'no column of this table'
       WHEN taken IS NOT NULL
        AND regexp_extract(taken, '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$', 0) <> taken
       THEN 'a time in no known form'
  END AS reason,
  CASE WHEN regexp_extract(celsius, '^-?[0-9]{1,3}([.][0-9]{1,9})?$', 0) <> celsius THEN 1 ELSE 0 END AS count_bad_celsius,
  origin
FROM raw
