-- wrk's script for the bench of Kinesis services: puts of RECORDS records of 450 bytes each, keys spread over the shards.
--   wrk -s put_records.lua URL -- STREAM RECORDS
local data = string.rep("QUJD", 150)  -- base64 of 450 bytes
local count, stream, records = 0, "bench", 1

init = function(args)
  stream, records = args[1] or stream, tonumber(args[2] or "1")
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/x-amz-json-1.1"
  wrk.headers["X-Amz-Target"] = "Kinesis_20131202." .. (records == 1 and "PutRecord" or "PutRecords")
  wrk.headers["X-Amz-Date"] = os.date("!%Y%m%dT%H%M%SZ")
  wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0"
end

local function record()
  count = count + 1
  return '"PartitionKey":"key-' .. count % 1000 .. '","Data":"' .. data .. '"'
end

request = function()
  if records == 1 then return wrk.format(nil, nil, nil, '{"StreamName":"' .. stream .. '",' .. record() .. '}') end
  local list = {}
  for i = 1, records do list[i] = "{" .. record() .. "}" end
  return wrk.format(nil, nil, nil, '{"StreamName":"' .. stream .. '","Records":[' .. table.concat(list, ",") .. ']}')
end

done = function(summary, latency, requests)
  io.write(string.format('RESULT {"requests":%d,"seconds":%.6f,"errors":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
