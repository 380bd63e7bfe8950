// The room `kinesis/client` for other people's services to be held against: a JSON object a line in, one a line out.
//
//   {"do":"create","stream":,"shards":}                          -> {}
//   {"do":"call","operation":,"body":"{…}"}                      -> {"status":,"body":"…","type":}
//   {"do":"put","stream":,"records":[{"data":,"key":}…]}         -> {"slots":[{"sequence":,"shard":}…]}
//   {"do":"describe","stream":}                                  -> {"arn":,"created_ms":,"status":,"open_shards":}
//   {"do":"shards","stream":}                                    ->
//   {"shards":[{"id":,"parent":,"adjacent":,"closed":}…]}
//   {"do":"start","stream":,"begin":"oldest"|"latest","release":true,"progress":{SHARD:{"after":,"ended":}},
//    "arn":,"created_ms":}                                       -> {}      (release: by itself)
//   {"do":"read","records":,"wait_ms":}                          ->
//   {"blocks":[{"shard":,"ends":,"records":[[sequence,key,data]…]}…]}
//   {"do":"release","shard":}, {"do":"stop"}                     -> {}
//   {"do":"state"}                                               -> {"complete_ms":,"trouble":}
//   {"do":"range","stream":,"shard":,"after":,"through":,"first":}  -> {"records":[…]}
// Each may answer {"error":message,"code":name} instead.
//
//   client_tool URL REGION
#include <simdjson.h>

#include <iostream>
#include <string>

#include "base/json.h"
#include "kinesis/client/client.h"
#include "kinesis/client/reader.h"

namespace pinflow::kinesis {
namespace {

using Json = simdjson::dom::element;

std::string text(const Json& from, const char* key) {
  std::string_view found;
  return from[key].get(found) == simdjson::SUCCESS ? std::string(found) : "";
}
int64_t number(const Json& from, const char* key, int64_t otherwise) {
  int64_t found = 0;
  return from[key].get(found) == simdjson::SUCCESS ? found : otherwise;
}

void records_of(JsonWriter& json, const RecordBlock& block) {
  for (const ReadRecord& record : block.records)
    json.begin_array().string(record.sequence).string(record.partition_key).string(record.data).end_array();
}

class Tool {
 public:
  explicit Tool(std::shared_ptr<const Endpoint> endpoint) : endpoint_(endpoint), client_(endpoint) {}

  Result<std::string> answer(const Json& ask) {
    const std::string what = text(ask, "do"), stream = text(ask, "stream");
    if (what == "create") {
      auto made = client_.create_stream(stream, static_cast<int32_t>(number(ask, "shards", 1)));
      if (!made) return pass(made.error());
      return "{}";
    }
    if (what == "call") return call(ask);
    if (what == "put") return put(ask, stream);
    if (what == "describe") {
      auto summary = client_.describe(stream);
      if (!summary) return pass(summary.error());
      JsonWriter json;
      json.begin_object().key("arn").string(summary->identity.arn).key("created_ms");
      json.number(summary->identity.created_ms).key("status").string(summary->status);
      return json.key("open_shards").number(int64_t{summary->open_shards}).end_object().take();
    }
    if (what == "shards") return shards(stream);
    if (what == "start") return start(ask, stream);
    if (what == "read") return read(ask);
    if (what == "release") reader_->release(text(ask, "shard"));
    if (what == "stop") reader_.reset();
    if (what == "state") {
      JsonWriter json;
      json.begin_object().key("complete_ms").number(reader_->complete_ms());
      return json.key("trouble").string(reader_->trouble()).end_object().take();
    }
    if (what == "range") return range(ask, stream);
    return "{}";
  }

 private:
  Result<std::string> call(const Json& ask) {
    auto outcome = client_.call(text(ask, "operation"), text(ask, "body"));
    if (!outcome.reply) return pass(outcome.reply.error());
    JsonWriter json;
    json.begin_object().key("status").number(int64_t{outcome.reply->status}).key("body").string(outcome.reply->body);
    return json.key("type").string(outcome.reply->type).end_object().take();
  }

  Result<std::string> put(const Json& ask, const std::string& stream) {
    std::vector<RecordToPut> records;
    const simdjson::dom::array list = ask["records"].get_array().value();
    for (const Json record : list)
      records.push_back({record["data"].get_string().value(), record["key"].get_string().value()});
    auto slots = client_.put_all(stream, records);
    if (!slots) return pass(slots.error());
    JsonWriter json;
    json.begin_object().key("slots").begin_array();
    for (const PutSlot& slot : *slots)
      json.begin_object().key("sequence").string(slot.sequence).key("shard").string(slot.shard).end_object();
    return json.end_array().end_object().take();
  }

  Result<std::string> shards(const std::string& stream) {
    auto list = client_.list_shards(stream);
    if (!list) return pass(list.error());
    JsonWriter json;
    json.begin_object().key("shards").begin_array();
    for (const ListedShard& shard : *list) {
      json.begin_object().key("id").string(shard.id).key("parent").string(shard.parent);
      json.key("adjacent").string(shard.adjacent).key("closed").boolean(shard.closed);
      json.key("first_sequence").string(shard.first_sequence).end_object();
    }
    return json.end_array().end_object().take();
  }

  Result<std::string> start(const Json& ask, const std::string& stream) {
    ReaderOptions options;
    options.stream = stream;
    if (text(ask, "begin") == "latest") options.begin = ReaderOptions::Begin::latest;
    bool release = false;
    if (ask["release"].get(release) == simdjson::SUCCESS) options.release_by_itself = release;
    if (number(ask, "created_ms", 0) != 0)
      options.identity = StreamIdentity{text(ask, "arn"), number(ask, "created_ms", 0)};
    simdjson::dom::object progress;
    if (ask["progress"].get(progress) == simdjson::SUCCESS) {
      for (const auto [shard, value] : progress) {
        bool ended = false;
        if (value["ended"].get(ended)) ended = false;
        options.progress[std::string(shard)] = {text(value, "after"), ended, number(value, "complete_ms", 0)};
      }
    }
    options.list_every = std::chrono::milliseconds(number(ask, "list_every_ms", 30'000));
    auto reader = Reader::start(endpoint_, options);
    if (!reader) return pass(reader.error());
    reader_ = std::move(*reader);
    return "{}";
  }

  Result<std::string> read(const Json& ask) {
    ReadLimits limits;
    limits.records = static_cast<size_t>(number(ask, "records", 10'000));
    limits.wait = std::chrono::milliseconds(number(ask, "wait_ms", 1'000));
    auto batch = reader_->read(limits);
    if (!batch) return pass(batch.error());
    JsonWriter json;
    json.begin_object().key("blocks").begin_array();
    for (const RecordBlock& block : batch->blocks) {
      json.begin_object().key("shard").string(block.shard).key("ends").boolean(block.ends_shard);
      json.key("records").begin_array();
      records_of(json, block);
      json.end_array().end_object();
    }
    return json.end_array().end_object().take();
  }

  Result<std::string> range(const Json& ask, const std::string& stream) {
    JsonWriter json;
    json.begin_object().key("records").begin_array();
    const ShardRange range{text(ask, "shard"), text(ask, "after"), text(ask, "through"), text(ask, "first")};
    auto read = read_range(endpoint_, stream, range, [&](const RecordBlock& block) -> Result<> {
      records_of(json, block);
      return {};
    });
    if (!read) return pass(read.error());
    return json.end_array().end_object().take();
  }

  const std::shared_ptr<const Endpoint> endpoint_;
  Client client_;
  std::unique_ptr<Reader> reader_;
};

int run(int argc, char** argv) {
  if (argc < 3) return 2;
  auto endpoint = Endpoint::create({.url = argv[1], .region = argv[2]},
                                   aws::fixed_credentials({.access_key_id = "key", .secret_access_key = "secret"}));
  if (!endpoint) {
    std::cerr << endpoint.error().message << '\n';
    return 2;
  }
  Tool tool(*endpoint);
  simdjson::dom::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    auto answer = tool.answer(parser.parse(line).value());
    if (!answer) {
      JsonWriter json;
      json.begin_object().key("error").string(answer.error().message);
      answer = json.key("code").string(name_of(answer.error().code)).end_object().take();
    }
    std::cout << *answer << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace pinflow::kinesis

int main(int argc, char** argv) { return pinflow::kinesis::run(argc, argv); }
