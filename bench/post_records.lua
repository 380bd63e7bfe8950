-- wrk's script for the gateway's bench: POST of RECORDS records of about 450 bytes (of the request) each.
--   wrk -s post_records.lua URL -- RECORDS
local value = '{"value":{"index":7528,"unique_id":"fbe53c66-3442-4773-b19e-d3ec6f54dddf","title":"A title of some length",' ..
  '"description":"' .. string.rep("d", 60) .. '","poster_name":"Somebody","follower_count":"12k",' ..
  '"tag_list":"one,two,three,four,five,six,seven,eight,nine","is_image_or_video":"image",' ..
  '"image_src":"https://images.example.org/originals/aa/bb/cc/picture.jpg","downloaded":1,' ..
  '"save_location":"Local save in /data/art","category":"art"}}'

init = function(args)
  local records = tonumber(args[1] or "1")
  local list = {}
  for i = 1, records do list[i] = value end
  wrk.method = "POST"
  wrk.body = '{"records":[' .. table.concat(list, ",") .. ']}'
  wrk.headers["Content-Type"] = "application/vnd.kafka.json.v2+json"
end

done = function(summary, latency, requests)
  io.write(string.format('RESULT {"requests":%d,"seconds":%.6f,"errors":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
