-- A posted user becomes a row of `user`. See pin.sql.
WITH known AS (
  SELECT
    *,
    regexp_extract(ind, '^-?[0-9]{1,18}$', 0) = NULLIF(ind, '') AS has_key,
    CASE WHEN regexp_extract(age, '^-?[0-9]{1,9}$', 0) = NULLIF(age, '') THEN CAST(age AS INT) END AS years,
    CASE
      WHEN regexp_extract(date_joined, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$', 0) = NULLIF(date_joined, '')
           AND date_joined >= '0001'
        THEN TRY_CAST(date_joined AS TIMESTAMP)
      WHEN regexp_extract(date_joined, '^[0-9]{4}:[0-9]{2}:[0-9]{2} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$', 0) = NULLIF(date_joined, '')
           AND date_joined >= '0001'
        THEN TRY_CAST(replace(substring(date_joined, 1, 10), ':', '-') || substring(date_joined, 11, 9) AS TIMESTAMP)
    END AS joined_at
  FROM raw
)
SELECT
  CASE WHEN has_key THEN CAST(ind AS BIGINT) END AS ind,
  NULLIF(first_name, '') || ' ' || NULLIF(last_name, '') AS user_name,
  years AS age,
  joined_at AS date_joined,
  CASE
    WHEN NOT COALESCE(has_key, false) THEN 'no integer ind'
    WHEN COALESCE(first_name, last_name, age, date_joined) IS NULL THEN 'none of the other columns'
    WHEN date_joined IS NOT NULL AND joined_at IS NULL THEN 'timestamp in no known form'
  END AS reason,
  CASE WHEN age IS NOT NULL AND years IS NULL THEN 1 ELSE 0 END AS count_bad_age,
  origin
FROM known
