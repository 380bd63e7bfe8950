-- A posted pin (each field as text, NULL where it is missing) becomes a row of `pin`, or a dead letter where `reason`
-- is not NULL. One record in, one row out. docs/batch.md has the rules. Foreign text is cast only behind a pattern;
-- regexp_extract answers '' where nothing matches, hence the NULLIF(…, '') beside it.
WITH known AS (
  SELECT
    *,
    regexp_extract(index, '^-?[0-9]{1,18}$', 0) = NULLIF(index, '') AS has_key,
    NULLIF(NULLIF(follower_count, ''), 'User Info Error') AS followers,
    CASE lower(right(follower_count, 1)) WHEN 'k' THEN 1000 WHEN 'm' THEN 1000000 WHEN 'b' THEN 1000000000 ELSE 1 END AS unit
  FROM raw
),
counted AS (
  SELECT
    *,
    CASE
      WHEN regexp_extract(followers, '^[0-9]{1,9}[kKmMbB]?$', 0) = NULLIF(followers, '')
        THEN CAST(substring(followers, 1, length(followers) - CASE unit WHEN 1 THEN 0 ELSE 1 END) AS BIGINT) * unit
      WHEN regexp_extract(followers, '^[0-9]{10,18}$', 0) = NULLIF(followers, '')
        THEN CAST(followers AS BIGINT)
      WHEN regexp_extract(followers, '^[0-9]{1,9}[.][0-9]{1,9}[kKmMbB]?$', 0) = NULLIF(followers, '')
        THEN CAST(round(CAST(substring(followers, 1, length(followers) - CASE unit WHEN 1 THEN 0 ELSE 1 END)
                             AS DECIMAL(28, 9)) * unit, 0) AS BIGINT)
    END AS follower_number
  FROM known
)
SELECT
  CASE WHEN has_key THEN CAST(index AS BIGINT) END AS ind,
  NULLIF(unique_id, '') AS unique_id,
  NULLIF(NULLIF(title, ''), 'No Title Data Available') AS title,
  CASE WHEN description NOT IN ('', 'No description available Story format', 'No description available', 'Untitled')
       THEN description END AS description,
  follower_number AS follower_count,
  NULLIF(NULLIF(poster_name, ''), 'User Info Error') AS poster_name,
  NULLIF(NULLIF(tag_list, ''), 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e') AS tag_list,
  NULLIF(is_image_or_video, '') AS is_image_or_video,
  NULLIF(NULLIF(image_src, ''), 'Image src error.') AS image_src,
  NULLIF(replace(save_location, 'Local save in ', ''), '') AS save_location,
  NULLIF(category, '') AS category,
  CASE
    WHEN NOT COALESCE(has_key, false) THEN 'no integer index'
    WHEN COALESCE(unique_id, title, description, poster_name, follower_count, tag_list, is_image_or_video, image_src,
                  downloaded, save_location, category) IS NULL THEN 'none of the other columns'
  END AS reason,
  CASE WHEN followers IS NOT NULL AND follower_number IS NULL THEN 1 ELSE 0 END AS count_bad_follower_count,
  origin
FROM counted
