-- What one would type by hand: objects to Parquet, no dead letters, no repeats, no bad values expected.
-- LAKE and OUT are replaced by the bench; the pipeline's nine queries follow, over the views.
CREATE OR REPLACE MACRO unit(f) AS CASE right(f, 1) WHEN 'k' THEN 1000 WHEN 'M' THEN 1000000 ELSE 1 END;
COPY (
  SELECT index::BIGINT AS ind, unique_id, nullif(title, 'No Title Data Available') AS title,
         CASE WHEN description NOT IN ('No description available Story format', 'No description available', 'Untitled')
              THEN description END AS description,
         CASE WHEN follower_count <> 'User Info Error'
              THEN rtrim(follower_count, 'kM')::BIGINT * unit(follower_count) END AS follower_count,
         nullif(poster_name, 'User Info Error') AS poster_name,
         nullif(tag_list, 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e') AS tag_list, is_image_or_video,
         nullif(image_src, 'Image src error.') AS image_src,
         replace(save_location, 'Local save in ', '') AS save_location, category
  FROM read_json('LAKE/topics/local.pin/partition=0/*.json', format = 'newline_delimited', columns = {
    index: 'VARCHAR', unique_id: 'VARCHAR', title: 'VARCHAR', description: 'VARCHAR', poster_name: 'VARCHAR',
    follower_count: 'VARCHAR', tag_list: 'VARCHAR', is_image_or_video: 'VARCHAR', image_src: 'VARCHAR',
    downloaded: 'VARCHAR', save_location: 'VARCHAR', category: 'VARCHAR'})
) TO 'OUT/pin.parquet' (FORMAT parquet);
COPY (
  SELECT ind::BIGINT AS ind, country, [latitude::DOUBLE, longitude::DOUBLE] AS coordinates,
         "timestamp"::TIMESTAMP AS "timestamp"
  FROM read_json('LAKE/topics/local.geo/partition=0/*.json', format = 'newline_delimited', columns = {
    ind: 'VARCHAR', timestamp: 'VARCHAR', latitude: 'VARCHAR', longitude: 'VARCHAR', country: 'VARCHAR'})
) TO 'OUT/geo.parquet' (FORMAT parquet);
COPY (
  SELECT ind::BIGINT AS ind, first_name || ' ' || last_name AS user_name, age::INTEGER AS age,
         date_joined::TIMESTAMP AS date_joined
  FROM read_json('LAKE/topics/local.user/partition=0/*.json', format = 'newline_delimited', columns = {
    ind: 'VARCHAR', first_name: 'VARCHAR', last_name: 'VARCHAR', age: 'VARCHAR', date_joined: 'VARCHAR'})
) TO 'OUT/user.parquet' (FORMAT parquet);
CREATE OR REPLACE VIEW pin AS SELECT * FROM 'OUT/pin.parquet';
CREATE OR REPLACE VIEW geo AS SELECT * FROM 'OUT/geo.parquet';
CREATE OR REPLACE VIEW "user" AS SELECT * FROM 'OUT/user.parquet';
