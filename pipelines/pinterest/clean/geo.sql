-- A posted place and time becomes a row of `geo`. See pin.sql.
WITH known AS (
  SELECT
    *,
    regexp_extract(ind, '^-?[0-9]{1,18}$', 0) = NULLIF(ind, '') AS has_key,
    CASE WHEN regexp_extract(latitude, '^-?[0-9]{1,15}([.][0-9]{1,17})?([eE][-+]?[0-9]{1,2})?$', 0) = NULLIF(latitude, '')
         THEN CAST(latitude AS DOUBLE) END AS north,
    CASE WHEN regexp_extract(longitude, '^-?[0-9]{1,15}([.][0-9]{1,17})?([eE][-+]?[0-9]{1,2})?$', 0) = NULLIF(longitude, '')
         THEN CAST(longitude AS DOUBLE) END AS east,
    -- 2020-08-28 03:52:47, 2020-08-28T03:52:47 and 2020:08:28 03:52:47; the cast refuses a 30th of February
    CASE
      WHEN regexp_extract(timestamp, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$', 0) = NULLIF(timestamp, '')
           AND timestamp >= '0001'
        THEN TRY_CAST(timestamp AS TIMESTAMP)
      WHEN regexp_extract(timestamp, '^[0-9]{4}:[0-9]{2}:[0-9]{2} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$', 0) = NULLIF(timestamp, '')
           AND timestamp >= '0001'
        THEN TRY_CAST(replace(substring(timestamp, 1, 10), ':', '-') || substring(timestamp, 11, 9) AS TIMESTAMP)
    END AS posted_at
  FROM raw
)
SELECT
  CASE WHEN has_key THEN CAST(ind AS BIGINT) END AS ind,
  NULLIF(country, '') AS country,
  pair(north, east) AS coordinates,
  posted_at AS timestamp,
  CASE
    WHEN NOT COALESCE(has_key, false) THEN 'no integer ind'
    WHEN COALESCE(timestamp, latitude, longitude, country) IS NULL THEN 'none of the other columns'
    WHEN timestamp IS NOT NULL AND posted_at IS NULL THEN 'timestamp in no known form'
  END AS reason,
  CASE WHEN latitude IS NOT NULL AND north IS NULL THEN 1 ELSE 0 END AS count_bad_latitude,
  CASE WHEN longitude IS NOT NULL AND east IS NULL THEN 1 ELSE 0 END AS count_bad_longitude,
  origin
FROM known
