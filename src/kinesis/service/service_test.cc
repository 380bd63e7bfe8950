// The service over HTTP, as a client sees it.
#include "kinesis/service/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "aws/digest.h"
#include "aws/signature.h"
#include "base/bytes.h"
#include "base/files.h"
#include "http/client.h"

namespace pinflow::kinesis {
namespace {
namespace fs = std::filesystem;
using simdjson::dom::element;
using ::testing::HasSubstr;

struct Reply {
  int status = 0;
  std::string body;
  element json;

  std::string text(std::string_view pointer) const { return std::string(std::string_view(json.at_pointer(pointer))); }
  int64_t number(std::string_view pointer) const { return int64_t(json.at_pointer(pointer)); }
  bool flag(std::string_view pointer) const { return bool(json.at_pointer(pointer)); }
  size_t size(std::string_view pointer) const { return simdjson::dom::array(json.at_pointer(pointer)).size(); }
  bool has(std::string_view pointer) const { return !json.at_pointer(pointer).error(); }
  std::string type() const { return status == 200 ? "" : text("/__type"); }
};

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "pinflow-kinesis-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    client_ = std::move(*http::Client::create({}));
    options_.now = [this] { return now_.load(); };
    start();
  }
  void TearDown() override {
    service_.reset();
    fs::remove_all(folder_);
  }

  void start() {
    service_.reset();
    auto started = Service::start(options_, folder_ / "data");
    ASSERT_TRUE(started) << started.error().message;
    service_ = std::move(*started);
  }

  Reply send(const std::string& operation, const std::string& body, std::vector<http::HeaderField> headers = {}) {
    http::ClientRequest request{"POST", fmt::format("http://127.0.0.1:{}/", service_->port()), std::move(headers),
                                body};
    request.headers.push_back({"Content-Type", "application/x-amz-json-1.1"});
    request.headers.push_back({"X-Amz-Target", "Kinesis_20131202." + operation});
    const auto outcome = client_->request(std::move(request));
    EXPECT_TRUE(outcome.response) << outcome.response.error().message;
    Reply reply{outcome.response->status, outcome.response->body};
    if (!reply.body.empty()) {
      parsers_.push_back(std::make_unique<simdjson::dom::parser>());
      EXPECT_FALSE(parsers_.back()->parse(reply.body).get(reply.json)) << reply.body;
    }
    return reply;
  }
  // That succeeds.
  Reply well(const std::string& operation, const std::string& body) {
    Reply reply = send(operation, body);
    EXPECT_EQ(reply.status, 200) << operation << " " << body << ": " << reply.body;
    return reply;
  }
  void expect_error(const std::string& operation, const std::string& body, const std::string& type,
                    const std::string& message = "") {
    const Reply reply = send(operation, body);
    EXPECT_EQ(reply.status, 400) << operation << " " << body << ": " << reply.body;
    EXPECT_EQ(reply.type(), type) << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(message));
  }

  std::string put(const std::string& key, const std::string& data) {
    return well("PutRecord",
                fmt::format(R"({{"StreamName":"s","PartitionKey":"{}","Data":"{}"}})", key, base64_encode(data)))
        .text("/SequenceNumber");
  }
  std::string iterator(int shard, const std::string& type = "TRIM_HORIZON", const std::string& more = "") {
    return well("GetShardIterator", fmt::format(R"({{"StreamName":"s","ShardId":"shardId-{:012}",)"
                                                R"("ShardIteratorType":"{}"{}}})",
                                                shard, type, more))
        .text("/ShardIterator");
  }
  Reply records(const std::string& iterator, const std::string& more = "") {
    return well("GetRecords", fmt::format(R"({{"ShardIterator":"{}"{}}})", iterator, more));
  }
  std::vector<std::string> data_of(const Reply& reply) {
    std::vector<std::string> data;
    for (const element record : simdjson::dom::array(reply.json.at_pointer("/Records"))) {
      std::string bytes;
      EXPECT_TRUE(base64_decode(std::string_view(record["Data"]), bytes));
      data.push_back(bytes);
    }
    return data;
  }
  std::vector<std::string> shards(const std::string& more = "") {
    const Reply reply = well("ListShards", R"({"StreamName":"s")" + more + "}");
    std::vector<std::string> ids;
    for (const element shard : simdjson::dom::array(reply.json.at_pointer("/Shards")))
      ids.emplace_back(std::string_view(shard["ShardId"]).substr(18));
    return ids;
  }

  fs::path folder_;
  std::atomic<int64_t> now_ = 1'700'000'000'000;
  ServiceOptions options_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<http::Client> client_;
  std::vector<std::unique_ptr<simdjson::dom::parser>> parsers_;
};

using Strings = std::vector<std::string>;

TEST_F(ServiceTest, PutsAndReads) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  expect_error("CreateStream", R"({"StreamName":"s","ShardCount":1})", "ResourceInUseException");
  const std::string first = put("a", "one"), second = put("b", "two");
  EXPECT_LT(first, second);
  Reply reply = records(iterator(0));
  EXPECT_EQ(data_of(reply), (Strings{"one", "two"}));
  EXPECT_EQ(reply.text("/Records/0/SequenceNumber"), first);
  EXPECT_EQ(reply.text("/Records/1/PartitionKey"), "b");
  EXPECT_EQ(double(reply.json.at_pointer("/Records/0/ApproximateArrivalTimestamp")), 1'700'000'000.0);
  EXPECT_EQ(reply.number("/MillisBehindLatest"), 0);
  put("c", "three");
  EXPECT_EQ(data_of(records(reply.text("/NextShardIterator"))), Strings{"three"});
  EXPECT_EQ(data_of(records(iterator(0, "LATEST"))), Strings{});
  EXPECT_EQ(data_of(records(iterator(0, "AT_SEQUENCE_NUMBER", R"(,"StartingSequenceNumber":")" + second + "\""))),
            (Strings{"two", "three"}));
  EXPECT_EQ(data_of(records(iterator(0, "AFTER_SEQUENCE_NUMBER", R"(,"StartingSequenceNumber":")" + second + "\""))),
            Strings{"three"});
}

TEST_F(ServiceTest, PagesOfRecordsAndTheTimeBehind) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  for (int i = 0; i < 5; ++i) {
    put("k", std::to_string(i));
    now_ += 1000;
  }
  Reply reply = records(iterator(0), R"(,"Limit":2)");
  EXPECT_EQ(data_of(reply), (Strings{"0", "1"}));
  EXPECT_EQ(reply.number("/MillisBehindLatest"), 4000);
  reply = records(reply.text("/NextShardIterator"), R"(,"Limit":10000)");
  EXPECT_EQ(data_of(reply), (Strings{"2", "3", "4"}));
  EXPECT_EQ(reply.number("/MillisBehindLatest"), 0);
  // By time: at a record's own, between two, before all, now.
  const auto since = [&](const std::string& seconds) {
    return data_of(records(iterator(0, "AT_TIMESTAMP", R"(,"Timestamp":)" + seconds)));
  };
  EXPECT_EQ(since("1700000003"), (Strings{"3", "4"}));
  EXPECT_EQ(since("1700000002.5"), (Strings{"3", "4"}));
  EXPECT_EQ(since("1600000000"), (Strings{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(since("1700000005"), Strings{});
  expect_error("GetShardIterator",
               R"({"StreamName":"s","ShardId":"shardId-000000000000","ShardIteratorType":"AT_TIMESTAMP",)"
               R"("Timestamp":1700000006})",
               "InvalidArgumentException", "cannot be greater than");
}

TEST_F(ServiceTest, PutRecordsGoesToTheShardsOfItsKeys) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":4})");
  std::string entries;
  for (int i = 0; i < 200; ++i) {
    entries += fmt::format(R"({}{{"PartitionKey":"key-{}","Data":"{}"}})", i ? "," : "", i,
                           base64_encode("value " + std::to_string(i)));
  }
  const Reply put = well("PutRecords", R"({"StreamName":"s","Records":[)" + entries + "]}");
  EXPECT_EQ(put.number("/FailedRecordCount"), 0);
  ASSERT_EQ(put.size("/Records"), 200u);
  std::set<std::string> found, numbers;
  for (int shard = 0; shard < 4; ++shard) {
    const Reply reply = records(iterator(shard));
    EXPECT_GT(reply.size("/Records"), 20u);
    for (const element record : simdjson::dom::array(reply.json.at_pointer("/Records"))) {
      const std::string number{std::string_view(record["SequenceNumber"])};
      EXPECT_TRUE(numbers.insert(number).second);
      const std::string key{std::string_view(record["PartitionKey"])};
      const auto slot = "/Records/" + key.substr(4);
      EXPECT_EQ(put.text(slot + "/SequenceNumber"), number);
      EXPECT_EQ(put.text(slot + "/ShardId"), fmt::format("shardId-{:012}", shard));
    }
    for (const std::string& data : data_of(reply)) found.insert(data);
  }
  EXPECT_EQ(found.size(), 200u);
  const Reply explicit_key =
      well("PutRecord", R"({"StreamName":"s","PartitionKey":"x","Data":"","ExplicitHashKey":"0"})");
  EXPECT_EQ(explicit_key.text("/ShardId"), "shardId-000000000000");
}

TEST_F(ServiceTest, ReshardsKeepParentsBeforeChildren) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  put("a", "before");
  const std::string at_start = iterator(0);
  now_ += 10'000;
  well("SplitShard", R"({"StreamName":"s","ShardToSplit":"shardId-000000000000","NewStartingHashKey":)"
                     R"("170141183460469231731687303715884105728"})");
  EXPECT_EQ(shards(), (Strings{"00", "01", "02"}));
  EXPECT_EQ(shards(R"(,"ShardFilter":{"Type":"AT_LATEST"})"), (Strings{"01", "02"}));
  EXPECT_EQ(shards(R"(,"ShardFilter":{"Type":"AT_TRIM_HORIZON"})"), (Strings{"00"}));
  EXPECT_EQ(shards(R"(,"ShardFilter":{"Type":"AFTER_SHARD_ID","ShardId":"shardId-000000000000"})"),
            (Strings{"01", "02"}));
  EXPECT_EQ(shards(R"(,"ShardFilter":{"Type":"AT_TIMESTAMP","Timestamp":1700000005})"), (Strings{"00"}));
  EXPECT_EQ(shards(R"(,"ShardFilter":{"Type":"FROM_TIMESTAMP","Timestamp":1700000011})"), (Strings{"01", "02"}));
  put("a", "after");
  Reply reply = records(at_start);
  EXPECT_EQ(data_of(reply), Strings{"before"});
  EXPECT_TRUE(reply.json["NextShardIterator"].is_null());
  EXPECT_EQ(reply.size("/ChildShards"), 2u);
  EXPECT_EQ(reply.text("/ChildShards/0/ParentShards/0"), "shardId-000000000000");
  EXPECT_EQ(records(iterator(1)).size("/Records") + records(iterator(2)).size("/Records"), 1u);
  well("MergeShards",
       R"({"StreamName":"s","ShardToMerge":"shardId-000000000002","AdjacentShardToMerge":"shardId-000000000001"})");
  const Reply merged = records(iterator(1));
  EXPECT_EQ(merged.size("/ChildShards/0/ParentShards"), 2u);
  EXPECT_FALSE(merged.has("/ChildShards/1"));
  const Reply counted =
      well("UpdateShardCount", R"({"StreamName":"s","TargetShardCount":2,"ScalingType":"UNIFORM_SCALING"})");
  EXPECT_EQ(counted.number("/CurrentShardCount"), 1);
  start();
  EXPECT_EQ(shards(R"(,"ShardFilter":{"Type":"AT_LATEST"})"), (Strings{"04", "05"}));
  EXPECT_EQ(data_of(records(iterator(0))), Strings{"before"});
  put("a", "again");
  expect_error("UpdateShardCount", R"({"StreamName":"s","TargetShardCount":5,"ScalingType":"UNIFORM_SCALING"})",
               "InvalidArgumentException");
}

TEST_F(ServiceTest, PagesOfShardsAndStreams) {
  for (const char* name : {"s", "t", "u"})
    well("CreateStream", fmt::format(R"({{"StreamName":"{}","ShardCount":5}})", name));
  Reply page = well("ListShards", R"({"StreamName":"s","MaxResults":2})");
  EXPECT_EQ(page.size("/Shards"), 2u);
  const std::string token = page.text("/NextToken");
  page = well("ListShards", R"({"NextToken":")" + token + R"(","MaxResults":3})");
  EXPECT_EQ(page.text("/Shards/0/ShardId"), "shardId-000000000002");
  EXPECT_FALSE(page.has("/NextToken"));
  expect_error("ListShards", R"({"StreamName":"s","NextToken":")" + token + "\"}", "InvalidArgumentException");
  now_ += 300'001;
  expect_error("ListShards", R"({"NextToken":")" + token + "\"}", "ExpiredNextTokenException");
  page = well("ListStreams", R"({"Limit":2})");
  EXPECT_TRUE(page.flag("/HasMoreStreams"));
  EXPECT_EQ(well("ListStreams", R"({"NextToken":")" + page.text("/NextToken") + "\"}").text("/StreamNames/0"), "u");
  EXPECT_EQ(well("ListStreams", R"({"ExclusiveStartStreamName":"s"})").text("/StreamSummaries/0/StreamName"), "t");
  page = well("DescribeStream", R"({"StreamName":"s","Limit":2,"ExclusiveStartShardId":"shardId-000000000001"})");
  EXPECT_EQ(page.text("/StreamDescription/Shards/0/ShardId"), "shardId-000000000002");
  EXPECT_TRUE(page.flag("/StreamDescription/HasMoreShards"));
  EXPECT_EQ(well("DescribeLimits", "{}").number("/OpenShardCount"), 15);
}

TEST_F(ServiceTest, IteratorsExpireAndEndWithTheirStream) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  const std::string old = iterator(0);
  now_ += 300'000;
  records(old);
  now_ += 1;
  expect_error("GetRecords", R"({"ShardIterator":")" + old + "\"}", "ExpiredIteratorException", "Iterator expired");
  const std::string other = iterator(0);
  start();
  records(other);  // the key that seals them is kept
  well("DeleteStream", R"({"StreamName":"s"})");
  expect_error("GetRecords", R"({"ShardIterator":")" + other + "\"}", "ResourceNotFoundException");
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  expect_error("GetRecords", R"({"ShardIterator":")" + other + "\"}", "ResourceNotFoundException");
  expect_error("GetRecords", R"({"ShardIterator":"AAAA"})", "InvalidArgumentException");
}

TEST_F(ServiceTest, RetentionTrims) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  put("k", "old");
  const std::string at_start = iterator(0);
  now_ += 3'600'000;
  put("k", "new");
  well("SplitShard", R"({"StreamName":"s","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"9"})");
  now_ += 23 * 3'600'000 + 1;
  start();  // trims at once
  EXPECT_EQ(data_of(records(iterator(0))), Strings{"new"});
  expect_error("DecreaseStreamRetentionPeriod", R"({"StreamName":"s","RetentionPeriodHours":25})",
               "InvalidArgumentException");
  well("IncreaseStreamRetentionPeriod", R"({"StreamName":"s","RetentionPeriodHours":25})");
  now_ += 3'600'000;
  start();
  EXPECT_EQ(data_of(records(iterator(0))), Strings{"new"});
  well("DecreaseStreamRetentionPeriod", R"({"StreamName":"s","RetentionPeriodHours":24})");
  start();
  EXPECT_EQ(shards(), (Strings{"01", "02"}));
  expect_error("GetShardIterator",
               R"({"StreamName":"s","ShardId":"shardId-000000000000","ShardIteratorType":"LATEST"})",
               "ResourceNotFoundException");
}

TEST_F(ServiceTest, ShardsAreHeldToTheirRates) {
  options_.shard_limits = true;
  start();
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  const std::string large = base64_encode(std::string(1 << 20, 'x'));
  well("PutRecord", R"({"StreamName":"s","PartitionKey":"k","Data":")" + large + "\"}");
  expect_error("PutRecord", R"({"StreamName":"s","PartitionKey":"k","Data":"eA=="})",
               "ProvisionedThroughputExceededException");
  now_ += 1'001;
  std::string entries;
  for (int i = 0; i < 500; ++i) entries += fmt::format(R"({}{{"PartitionKey":"k","Data":"eA=="}})", i ? "," : "");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(well("PutRecords", R"({"StreamName":"s","Records":[)" + entries + "]}").number("/FailedRecordCount"), 0);
  const Reply partial = well("PutRecords", R"({"StreamName":"s","Records":[)" + entries + "]}");
  EXPECT_EQ(partial.number("/FailedRecordCount"), 500);
  EXPECT_EQ(partial.text("/Records/0/ErrorCode"), "ProvisionedThroughputExceededException");
  EXPECT_FALSE(partial.has("/Records/0/SequenceNumber"));
  const std::string latest = iterator(0, "LATEST");
  for (int i = 0; i < 5; ++i) records(latest);
  expect_error("GetRecords", R"({"ShardIterator":")" + latest + "\"}", "ProvisionedThroughputExceededException");
}

TEST_F(ServiceTest, AnswersThatNobodyTakesAreBounded) {
  options_.max_answer_bytes = 1 << 20;
  start();
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  const std::string large = base64_encode(std::string(1 << 20, 'x'));
  for (int i = 0; i < 10; ++i) well("PutRecord", R"({"StreamName":"s","PartitionKey":"k","Data":")" + large + "\"}");
  const std::string all = fmt::format(R"({{"ShardIterator":"{}"}})", iterator(0));
  const std::string latest = fmt::format(R"({{"ShardIterator":"{}"}})", iterator(0, "LATEST"));
  // A reader that asks, and takes nothing. (More than what sockets hold; its own is kept small.)
  const Fd reader(::socket(AF_INET, SOCK_STREAM, 0));
  const int small = 64 << 10;
  ASSERT_EQ(::setsockopt(reader.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(service_->port()), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  ASSERT_EQ(::connect(reader.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string asked = fmt::format(
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\n"
      "X-Amz-Target: Kinesis_20131202.GetRecords\r\nContent-Length: {}\r\n\r\n{}",
      all.size(), all);
  ASSERT_EQ(::send(reader.get(), asked.data(), asked.size(), 0), static_cast<ssize_t>(asked.size()));
  const auto status_becomes = [&](int status) {
    for (int i = 0; i < 500; ++i) {
      if (send("GetRecords", latest).status == status) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  };
  EXPECT_TRUE(status_becomes(400));
  expect_error("GetRecords", latest, "ProvisionedThroughputExceededException", "answers");
  put("k", "puts go on");
  size_t taken = 0;
  std::string bytes(1 << 20, '\0');
  for (ssize_t got = 1; got > 0; taken += static_cast<size_t>(got))
    got = ::recv(reader.get(), bytes.data(), bytes.size(), 0);
  EXPECT_GT(taken, 10u << 20);
  EXPECT_TRUE(status_becomes(200));
}

TEST_F(ServiceTest, RecordsOfAStreamThatIsNotKnownAreLeftAlone) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1})");
  put("k", "kept");
  service_.reset();
  const fs::path file = folder_ / "data/streams/s.json";
  fs::rename(file, folder_ / "aside");
  start();
  expect_error("DescribeStream", R"({"StreamName":"s"})", "ResourceNotFoundException");
  service_.reset();
  fs::rename(folder_ / "aside", file);
  start();
  EXPECT_EQ(data_of(records(iterator(0))), Strings{"kept"});
  // Of a deleted stream nothing stays, also where the process ended before its records were gone.
  service_.reset();
  fs::rename(file,
             folder_ / "data/streams" /
                 (fs::directory_iterator(folder_ / "data/records/topics")->path().filename().string() + ".deleted"));
  start();
  EXPECT_TRUE(fs::is_empty(folder_ / "data/records/topics"));
  EXPECT_TRUE(fs::is_empty(folder_ / "data/streams"));
}

TEST_F(ServiceTest, TagsAreKept) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1,"Tags":{"a":"1"}})");
  well("AddTagsToStream", R"({"StreamName":"s","Tags":{"b":"2","c":"ü"}})");
  well("RemoveTagsFromStream", R"({"StreamName":"s","TagKeys":["a","nothing"]})");
  start();
  Reply tags = well("ListTagsForStream", R"({"StreamName":"s","Limit":1})");
  EXPECT_EQ(tags.text("/Tags/0/Key"), "b");
  EXPECT_TRUE(tags.flag("/HasMoreTags"));
  tags = well("ListTagsForStream", R"({"StreamName":"s","ExclusiveStartTagKey":"b"})");
  EXPECT_EQ(tags.text("/Tags/0/Value"), "ü");
  expect_error("AddTagsToStream", R"({"StreamName":"s","Tags":{"x?":"2"}})", "InvalidArgumentException");
}

TEST_F(ServiceTest, TagsByTheArnOfAResource) {
  well("CreateStream", R"({"StreamName":"s","ShardCount":1,"Tags":{"a":"1"}})");
  const std::string arn = R"("ResourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s")";
  well("TagResource", "{" + arn + R"(,"Tags":{"b":"2","c":"3"}})");
  well("UntagResource", "{" + arn + R"(,"TagKeys":["a","nothing"]})");
  const Reply tags = well("ListTagsForResource", "{" + arn + "}");
  EXPECT_EQ(tags.body, R"({"Tags":[{"Key":"b","Value":"2"},{"Key":"c","Value":"3"}]})");
  EXPECT_EQ(well("ListTagsForStream", R"({"StreamName":"s"})").text("/Tags/1/Key"), "c");
  expect_error("TagResource", "{" + arn + R"(,"Tags":{"aws:x":"2"}})", "InvalidArgumentException");
  expect_error("TagResource", "{" + arn + "}", "ValidationException", "tags");
  expect_error("ListTagsForResource", "{}", "ValidationException");
  for (const char* none :
       {"s", "arn:aws:s3:us-east-1:000000000000:stream/s", "arn:aws:kinesis:us-east-1:0:stream/s",
        "arn:aws:kinesis:us-east-1:000000000000:stream/", "arn:aws:kinesis:000000000000:stream/s",
        "arn:aws:kinesis:us-east-1:000000000000:stream/s x", "arn:aws:kinesis:us-east-1:000000000000:s"})
    expect_error("ListTagsForResource", fmt::format(R"({{"ResourceARN":"{}"}})", none), "ValidationException");
  for (const char* other : {"us-east-1:000000000000:stream/t", "eu-west-1:000000000000:stream/s",
                            "us-east-1:000000000000:queue/s", "us-east-1:000000000000:stream/s/consumer/c:1"})
    expect_error("ListTagsForResource", fmt::format(R"({{"ResourceARN":"arn:aws:kinesis:{}"}})", other),
                 "ResourceNotFoundException");
}

TEST_F(ServiceTest, AccountSettings) {
  EXPECT_EQ(well("DescribeAccountSettings", "{}").body,
            R"({"MinimumThroughputBillingCommitment":{"Status":"DISABLED"}})");
}

TEST_F(ServiceTest, StreamsByArnAndByMode) {
  well("CreateStream", R"({"StreamName":"s","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  const Reply summary = well("DescribeStreamSummary", R"({"StreamName":"s"})");
  const std::string arn = summary.text("/StreamDescriptionSummary/StreamARN");
  EXPECT_EQ(arn, "arn:aws:kinesis:us-east-1:000000000000:stream/s");
  EXPECT_EQ(summary.number("/StreamDescriptionSummary/OpenShardCount"), 4);
  expect_error("SplitShard", R"({"StreamName":"s","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"9"})",
               "ValidationException", "provisioned");
  well("UpdateStreamMode", R"({"StreamARN":")" + arn + R"(","StreamModeDetails":{"StreamMode":"PROVISIONED"}})");
  well("SplitShard",
       R"({"StreamARN":")" + arn + R"(","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"9"})");
  expect_error("DescribeStream", R"({"StreamName":"t","StreamARN":")" + arn + "\"}", "InvalidArgumentException");
  expect_error("DescribeStream", "{}", "InvalidArgumentException");
  expect_error("DescribeStream", R"({"StreamARN":"arn:aws:kinesis:eu-west-1:000000000000:stream/s"})",
               "ResourceNotFoundException");
}

TEST_F(ServiceTest, RefusesWhatItDoesNotServe) {
  expect_error("SubscribeToShard", "{}", "UnknownOperationException");
  expect_error("ListStreams", "[]", "SerializationException");
  expect_error("ListStreams", R"({"Limit":"x"})", "SerializationException");
  expect_error("ListStreams", R"({"Limit":0})", "ValidationException");
  expect_error("CreateStream", R"({"StreamName":"s"})", "ValidationException");
  expect_error("CreateStream", R"({"StreamName":"s","ShardCount":1001})", "LimitExceededException");
  expect_error("DeleteStream", R"({"StreamName":"s"})", "ResourceNotFoundException");
}

TEST_F(ServiceTest, SignaturesAreHeldToTheKeys) {
  options_.keys = {{"AKIDEXAMPLE", "a secret"}};
  start();
  const std::string body = "{}", host = fmt::format("127.0.0.1:{}", service_->port());
  const auto ask = [&](const std::string& id, const std::string& secret, int64_t time_ms) {
    aws::SignedRequest request{"POST", host, "/", {}, {}, aws::sha256_hex(body)};
    return send("ListStreams", body, aws::sign(request, {"us-east-1", "kinesis"}, {id, secret}, time_ms));
  };
  EXPECT_EQ(ask("AKIDEXAMPLE", "a secret", now_).status, 200);
  EXPECT_EQ(ask("AKIDEXAMPLE", "another", now_).type(), "InvalidSignatureException");
  EXPECT_EQ(ask("AKIDOTHER", "a secret", now_).type(), "UnrecognizedClientException");
  EXPECT_EQ(ask("AKIDEXAMPLE", "a secret", now_ - 600'000).type(), "InvalidSignatureException");
  EXPECT_EQ(ask("AKIDEXAMPLE", "a secret", now_ + 600'000).type(), "InvalidSignatureException");
  EXPECT_EQ(send("ListStreams", body).type(), "MissingAuthenticationTokenException");
}

}  // namespace
}  // namespace pinflow::kinesis
