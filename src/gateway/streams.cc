#include "gateway/streams.h"

#include <charconv>

#include "base/json.h"
#include "gateway/stream_request.h"

namespace pinflow::gateway {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr int64_t kDefaultShards = 5;         // of the usual template of POST /streams/{stream}
constexpr size_t kRequestOverhead = 1 << 10;  // what a small request takes besides its body

// Counts the request in; gives the way to answer it, which counts it out.
class UnderWay {
 public:
  UnderWay(std::shared_ptr<Shared> shared, http::Respond respond, size_t bytes, int64_t records)
      : shared_(std::move(shared)), respond_(std::move(respond)), bytes_(bytes), records_(records) {}

  void operator()(http::Response response) const {
    shared_->bytes_in_flight.fetch_sub(bytes_, kRelaxed);
    if (response.status >= 400) shared_->requests_refused.fetch_add(1, kRelaxed);
    if (records_ > 0) {
      const int64_t failed = response.status == 200 ? failed_of(response.body) : records_;
      shared_->stream_records_failed.fetch_add(failed, kRelaxed);
      shared_->stream_records_acknowledged.fetch_add(records_ - failed, kRelaxed);
    }
    respond_(std::move(response));
  }

 private:
  // {"FailedRecordCount":1,…}
  static int64_t failed_of(std::string_view body) {
    constexpr std::string_view kName = R"("FailedRecordCount":)";
    size_t at = body.find(kName);
    if (at == body.npos) return 0;
    at = body.find_first_not_of(' ', at + kName.size());
    int64_t count = 0;
    if (at != body.npos) std::from_chars(body.data() + at, body.data() + body.size(), count);
    return count;
  }

  std::shared_ptr<Shared> shared_;
  http::Respond respond_;
  size_t bytes_;
  int64_t records_;
};

bool admit(Shared& shared, size_t bytes) {
  const size_t before = shared.bytes_in_flight.fetch_add(bytes, kRelaxed);
  if (before == 0 || before + bytes <= shared.options.max_bytes_in_flight) return true;
  shared.bytes_in_flight.fetch_sub(bytes, kRelaxed);
  return false;
}

JsonWriter named(const Route& route) {
  JsonWriter json;
  json.begin_object().key("StreamName").string(route.stream);
  return json;
}

// A parameter that is a number goes on as one; what is none goes on as text, for Kinesis to complain of.
void add_number(JsonWriter& json, const Route& route, std::string_view name) {
  const std::string_view value = route.parameter(name);
  if (value.empty()) return;
  int64_t number = 0;
  const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), number);
  json.key(name);
  if (wrong == std::errc() && end == value.data() + value.size()) json.number(number);
  else json.string(value);
}

void add_text(JsonWriter& json, const Route& route, std::string_view parameter, std::string_view name) {
  if (const std::string_view value = route.parameter(parameter); !value.empty()) json.key(name).string(value);
}

struct Call {
  std::string operation, body;
  int64_t records = 0;
};

Call list_streams(const Route& route) {
  JsonWriter json;
  json.begin_object();
  add_text(json, route, "ExclusiveStartStreamName", "ExclusiveStartStreamName");
  add_number(json, route, "Limit");
  return {"ListStreams", json.end_object().take()};
}

Call describe(const Route& route) {
  JsonWriter json = named(route);
  add_text(json, route, "ExclusiveStartShardId", "ExclusiveStartShardId");
  add_number(json, route, "Limit");
  return {"DescribeStream", json.end_object().take()};
}

Call shard_iterator(const Route& route) {
  JsonWriter json = named(route);
  add_text(json, route, "shard-id", "ShardId");
  const std::string_view type = route.parameter("shard-iterator-type");
  json.key("ShardIteratorType").string(type.empty() ? "TRIM_HORIZON" : type);
  add_text(json, route, "starting-sequence-number", "StartingSequenceNumber");
  add_number(json, route, "timestamp");
  return {"GetShardIterator", json.end_object().take()};
}

Call get_records(const Route& route, const http::Request& request) {
  JsonWriter json;
  json.begin_object();
  std::string_view iterator = request.header("Shard-Iterator");
  if (iterator.empty()) iterator = route.parameter("shard-iterator");
  if (!iterator.empty()) json.key("ShardIterator").string(iterator);
  add_number(json, route, "Limit");
  return {"GetRecords", json.end_object().take()};
}

// POST /streams/record with a record in it: no stream named "record" is meant, the stream's name is missing.
bool holds_records(const Route& route, std::string_view body) {
  if (route.stream == "records") return parse_stream_records(body).has_value();
  if (route.stream != "record") return false;
  const auto record = parse_stream_record(body);
  return record && !record->members.empty();
}

std::expected<Call, http::Response> create(const Route& route, std::string_view body) {
  if (holds_records(route, body)) return std::unexpected(gateway_error(400, which_stream(route.stream)));
  const auto shards = parse_shard_count(body, kDefaultShards);
  if (!shards) return std::unexpected(shards.error());
  return Call{"CreateStream", named(route).key("ShardCount").number(*shards).end_object().take()};
}

std::expected<Call, http::Response> put_records(const Route& route, std::string_view body) {
  const auto records = parse_stream_records(body);
  if (!records) return std::unexpected(records.error());
  JsonWriter json = named(route);
  std::string list = "[";
  for (const char* separator = "{"; const StreamRecord& record : *records) {
    list.append(separator).append(record.members).push_back('}');
    separator = ",{";
  }
  json.key("Records").raw(list + "]");
  return Call{"PutRecords", json.end_object().take(), static_cast<int64_t>(records->size())};
}

std::expected<Call, http::Response> call_of(const Route& route, std::string_view method, const http::Request& request) {
  switch (route.resource) {
    case Resource::streams: return list_streams(route);
    case Resource::shard_iterator: return shard_iterator(route);
    case Resource::records: return method == "GET" ? get_records(route, request) : put_records(route, request.body);
    default: break;
  }
  if (method == "POST") return create(route, request.body);
  if (method == "DELETE") return Call{"DeleteStream", named(route).end_object().take()};
  return describe(route);
}

}  // namespace

bool is_of_streams(Resource resource) {
  return resource == Resource::streams || resource == Resource::stream || resource == Resource::record ||
         resource == Resource::records || resource == Resource::shard_iterator;
}

void serve_streams(const std::shared_ptr<Shared>& shared, const Route& route, const http::Request& request,
                   http::Respond respond) {
  const auto refuse = [&](http::Response response) {
    shared->requests_refused.fetch_add(1, kRelaxed);
    if (response.status == 429) response.headers.push_back({"Retry-After", "1"});
    respond(std::move(response));
  };
  if (!shared->streams) return refuse(gateway_error(503, shared->options.why_no_streams));
  if (const std::string_view coding = request.header("Content-Encoding"); !coding.empty() && coding != "identity")
    return refuse(gateway_error(415, "a body with Content-Encoding is not taken; send it plain"));
  const size_t bytes = request.body.size() + kRequestOverhead;
  if (!admit(*shared, bytes))
    return refuse(gateway_error(429, "Too Many Requests: too much is waiting to be stored; send it again later"));
  const auto refuse_admitted = [&](http::Response response) {
    shared->bytes_in_flight.fetch_sub(bytes, kRelaxed);
    refuse(std::move(response));
  };
  if (route.resource == Resource::record) {
    auto record = parse_stream_record(request.body);
    if (!record) return refuse_admitted(std::move(record.error()));
    shared->streams->put(route.stream, std::move(*record), UnderWay(shared, std::move(respond), bytes, 1));
    return;
  }
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  auto call = call_of(route, method, request);
  if (!call) return refuse_admitted(std::move(call.error()));
  shared->streams->call(std::move(call->operation), std::move(call->body),
                        UnderWay(shared, std::move(respond), bytes, call->records));
}

}  // namespace pinflow::gateway
