// Bodies of every API and version, made by an encoder of its own from Kafka's message definitions
// (tests/strangers/kafka/message_vectors.py), must be read and written back byte for byte; cut or damaged they must
// be refused or read, never overrun (the sanitizers watch).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "base/files.h"
#include "kafka/codec/messages.h"

namespace pinflow::kafka {
namespace {

using Rewrite = std::function<Result<std::string>(std::string_view body, int16_t version)>;

template <class M>
Result<std::string> rewrite(std::string_view body, int16_t version) {
  const auto message = decode<M>(body, version);
  if (!message) return pass(message.error());
  std::string again;
  encode(*message, version, again);
  return again;
}

template <class Asked, class Answered>
void add(std::map<std::string, Rewrite>& to) {
  static_assert(Asked::api == Answered::api);
  const std::string name(spec_of(Asked::api).name);
  to[name + "Request"] = rewrite<Asked>;
  to[name + "Response"] = rewrite<Answered>;
}

const std::map<std::string, Rewrite>& rewrites() {
  static const auto all = [] {
    std::map<std::string, Rewrite> map;
    add<ProduceRequest, ProduceResponse>(map);
    add<FetchRequest, FetchResponse>(map);
    add<ListOffsetsRequest, ListOffsetsResponse>(map);
    add<MetadataRequest, MetadataResponse>(map);
    add<OffsetCommitRequest, OffsetCommitResponse>(map);
    add<OffsetFetchRequest, OffsetFetchResponse>(map);
    add<FindCoordinatorRequest, FindCoordinatorResponse>(map);
    add<JoinGroupRequest, JoinGroupResponse>(map);
    add<HeartbeatRequest, HeartbeatResponse>(map);
    add<LeaveGroupRequest, LeaveGroupResponse>(map);
    add<SyncGroupRequest, SyncGroupResponse>(map);
    add<DescribeGroupsRequest, DescribeGroupsResponse>(map);
    add<ListGroupsRequest, ListGroupsResponse>(map);
    add<ApiVersionsRequest, ApiVersionsResponse>(map);
    add<CreateTopicsRequest, CreateTopicsResponse>(map);
    add<DeleteTopicsRequest, DeleteTopicsResponse>(map);
    add<DeleteRecordsRequest, DeleteRecordsResponse>(map);
    add<InitProducerIdRequest, InitProducerIdResponse>(map);
    add<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(map);
    add<DescribeConfigsRequest, DescribeConfigsResponse>(map);
    add<AlterConfigsRequest, AlterConfigsResponse>(map);
    add<CreatePartitionsRequest, CreatePartitionsResponse>(map);
    add<DeleteGroupsRequest, DeleteGroupsResponse>(map);
    add<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(map);
    add<OffsetDeleteRequest, OffsetDeleteResponse>(map);
    add<DescribeClusterRequest, DescribeClusterResponse>(map);
    return map;
  }();
  return all;
}

struct Vector {
  std::string message;
  int16_t version = 0;
  std::string body;
};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

const std::vector<Vector>& vectors() {
  static const auto all = [] {
    std::vector<Vector> list;
    const auto text = read_file(std::filesystem::path(__FILE__).parent_path() / "testdata/vectors.txt");
    if (!text) throw std::runtime_error(text.error().message);
    std::istringstream lines(*text);
    Vector vector;
    for (std::string hex; lines >> vector.message >> vector.version >> hex;) {
      vector.body = from_hex(hex);
      list.push_back(vector);
    }
    return list;
  }();
  return all;
}

TEST(Vectors, CoverEveryApiAndVersion) {
  std::set<std::pair<std::string, int16_t>> there;
  for (const auto& vector : vectors()) there.emplace(vector.message, vector.version);
  for (const auto& api : all_apis()) {
    for (int16_t version = api.min; version <= api.max; ++version) {
      for (const char* side : {"Request", "Response"}) {
        EXPECT_TRUE(there.contains({std::string(api.name) + side, version})) << api.name << side << " " << version;
      }
    }
  }
  EXPECT_EQ(rewrites().size(), 2 * all_apis().size());
}

TEST(Vectors, AreReadAndWrittenBackByteForByte) {
  for (const auto& vector : vectors()) {
    SCOPED_TRACE(vector.message + " version " + std::to_string(vector.version));
    const auto again = rewrites().at(vector.message)(vector.body, vector.version);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(to_hex(*again), to_hex(vector.body));
  }
}

TEST(Vectors, AreRefusedWhenCutShort) {
  for (const auto& vector : vectors()) {
    SCOPED_TRACE(vector.message + " version " + std::to_string(vector.version));
    const size_t step = std::max<size_t>(1, vector.body.size() / 64);
    for (size_t size = 0; size < vector.body.size(); size += step) {
      const std::string cut(vector.body, 0, size);  // a block of its own, so that a read past it is seen
      EXPECT_FALSE(rewrites().at(vector.message)(cut, vector.version)) << size << " of " << vector.body.size();
    }
  }
}

TEST(Vectors, NeverOverrunWhenDamaged) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  size_t read = 0;
  for (const auto& vector : vectors()) {
    for (int round = 0; round < 40 && !vector.body.empty(); ++round) {
      std::string damaged = vector.body;
      for (uint32_t flips = 1 + random() % 4; flips > 0; --flips) {
        damaged[random() % damaged.size()] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
      }
      read += rewrites().at(vector.message)(damaged, vector.version).has_value();
    }
  }
  EXPECT_GT(read, 0u);  // much damage hits only values
}

TEST(Vectors, NeverOverrunOnNoise) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const auto& [name, rewrite] : rewrites()) {
    for (int round = 0; round < 300; ++round) {
      std::string noise(random() % 80, '\0');
      for (char& c : noise) c = static_cast<char>(random() % 2 == 0 ? random() % 4 : random());
      const auto vector = std::ranges::find(vectors(), name, &Vector::message);
      ASSERT_NE(vector, vectors().end()) << name;
      const auto again = rewrite(noise, vector->version);
      EXPECT_TRUE(again || again.error().code == Code::invalid);
    }
  }
}

}  // namespace
}  // namespace pinflow::kafka
