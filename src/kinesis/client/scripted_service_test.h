// For tests: a Kinesis service that does what it is told, over plain sockets. Streams of shards in memory, with the
// faults that a test asks for.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "http/raw_server_test.h"
#include "kinesis/client/client.h"

namespace pinflow::kinesis {

class ScriptedService {
 public:
  struct Shard {
    std::vector<int64_t> records;  // their sequence numbers; the data is "d<number>"
    std::string parent, adjacent;
    bool closed = false;
  };
  struct Fault {
    int status = 400;
    std::string type, message = "as told";
    std::string headers = {};
    bool cut = false;  // the connection, without an answer
  };

  // Asked before each operation: a fault instead of an answer.
  std::function<std::optional<Fault>(const std::string& operation, int number)> fault;

  ScriptedService() : server_([this](const http::RawServer::Got& got) { return answer(got); }) {}

  std::shared_ptr<const Endpoint> endpoint(EndpointOptions options = {}) {
    options.url = server_.url();
    options.backoff = std::chrono::milliseconds(1);
    return *Endpoint::create(options, aws::fixed_credentials({.access_key_id = "id", .secret_access_key = "secret"}));
  }

  // Under the lock: changes what the service has.
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change(shards_);
  }
  void set_created(double created_s) {
    const std::lock_guard lock(mutex_);
    created_s_ = created_s;
  }
  void set_gone() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
  }
  int asked(const std::string& operation) {
    const std::lock_guard lock(mutex_);
    return asked_[operation];
  }
  std::vector<std::string> heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }
  int64_t most_per_answer = 1'000;
  bool forgets = false;  // iterators always give the shard's first records

 private:
  using Json = simdjson::dom::element;

  static http::RawServer::Reply good(const std::string& body) { return {http::RawServer::response(200, body), false}; }
  static http::RawServer::Reply refused(std::string_view type, std::string_view message) {
    return {http::RawServer::response(400, fmt::format(R"({{"__type":"{}","message":"{}"}})", type, message)), false};
  }

  http::RawServer::Reply answer(const http::RawServer::Got& got) {
    const std::lock_guard lock(mutex_);
    constexpr std::string_view kMark = "Kinesis_20131202.";
    const size_t at = got.head.find(kMark) + kMark.size();
    const std::string operation = got.head.substr(at, got.head.find('\r', at) - at);
    const int number = asked_[operation]++;
    heads_.push_back(got.head);
    if (fault) {
      if (const auto wrong = fault(operation, number)) {
        if (wrong->cut) return {"", true};
        return {http::RawServer::response(
                    wrong->status, fmt::format(R"({{"__type":"{}","message":"{}"}})", wrong->type, wrong->message),
                    wrong->headers),
                false};
      }
    }
    if (gone_) return refused("ResourceNotFoundException", "Stream s under account 1 not found.");
    simdjson::dom::parser parser;
    const Json body = parser.parse(got.body).value();
    if (operation == "DescribeStreamSummary") {
      return good(
          fmt::format(R"({{"StreamDescriptionSummary":{{"StreamName":"s","StreamARN":"arn:s","StreamStatus":"ACTIVE",)"
                      R"("RetentionPeriodHours":24,"OpenShardCount":1,"StreamCreationTimestamp":{}}}}})",
                      created_s_));
    }
    if (operation == "ListShards") return good(list());
    if (operation == "GetShardIterator") return iterator(body);
    if (operation == "GetRecords") return records(body);
    return good("{}");
  }

  std::string list() {
    std::string list;
    for (const auto& [id, shard] : shards_) {
      if (!list.empty()) list += ',';
      list += fmt::format(R"({{"ShardId":"{}","SequenceNumberRange":{{"StartingSequenceNumber":"0"{}}})", id,
                          shard.closed ? R"(,"EndingSequenceNumber":"99999")" : "");
      if (!shard.parent.empty()) list += fmt::format(R"(,"ParentShardId":"{}")", shard.parent);
      if (!shard.adjacent.empty()) list += fmt::format(R"(,"AdjacentParentShardId":"{}")", shard.adjacent);
      list += '}';
    }
    return fmt::format(R"({{"Shards":[{}]}})", list);
  }

  // An iterator is "shard/number": the records from that number on.
  http::RawServer::Reply iterator(const Json& body) {
    const std::string id(body["ShardId"].get_string().value());
    const auto shard = shards_.find(id);
    if (shard == shards_.end()) return refused("ResourceNotFoundException", "no shard " + id);
    const std::string_view type = body["ShardIteratorType"].get_string().value();
    int64_t from = 0;
    if (type == "LATEST") from = shard->second.records.empty() ? 0 : shard->second.records.back() + 1;
    if (type == "AT_SEQUENCE_NUMBER")
      from = std::stoll(std::string(body["StartingSequenceNumber"].get_string().value()));
    return good(fmt::format(R"({{"ShardIterator":"{}/{}"}})", id, from));
  }

  http::RawServer::Reply records(const Json& body) {
    const std::string text(body["ShardIterator"].get_string().value());
    const size_t slash = text.find('/');
    const std::string id = text.substr(0, slash);
    int64_t from = forgets ? 0 : std::stoll(text.substr(slash + 1));
    const auto found = shards_.find(id);
    if (found == shards_.end()) return refused("ResourceNotFoundException", "no shard " + id);
    const Shard& shard = found->second;
    std::string list;
    int64_t count = 0;
    bool more = false;
    for (const int64_t number : shard.records) {
      if (number < from) continue;
      if (count == most_per_answer) {
        more = true;
        break;
      }
      if (!list.empty()) list += ',';
      list += fmt::format(R"({{"SequenceNumber":"{}","PartitionKey":"k","Data":"{}"}})", number,
                          base64_encode(fmt::format("d{}", number)));
      from = number + 1;
      ++count;
    }
    const bool end = shard.closed && !more;
    return good(fmt::format(R"({{"Records":[{}],"MillisBehindLatest":{}{}}})", list, more ? 1000 : 0,
                            end ? "" : fmt::format(R"(,"NextShardIterator":"{}/{}")", id, from)));
  }

  std::mutex mutex_;
  std::map<std::string, Shard> shards_;
  std::map<std::string, int> asked_;
  std::vector<std::string> heads_;
  double created_s_ = 1'795'246'905.5;
  bool gone_ = false;
  http::RawServer server_;
};

}  // namespace pinflow::kinesis
