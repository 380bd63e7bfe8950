// Consumer groups over a socket, and their offsets across a restart. (The rules of membership: group_test.cc.)
#include <gmock/gmock.h>

#include "kafka/broker/testing.h"

namespace pinflow::kafka {
namespace {

using ::testing::ElementsAre;

class GroupsTest : public BrokerTest {
 protected:
  static JoinGroupRequest join(const std::string& member = {}) {
    JoinGroupRequest request;
    request.group_id = "students";
    request.session_timeout_ms = 30'000;
    request.rebalance_timeout_ms = 60'000;
    request.member_id = member;
    request.protocol_type = "consumer";
    std::string subscription;
    Writer out(subscription);
    out.integer<int16_t>(0);
    out.array(1, false);
    out.string("pin", false);
    request.protocols = {{"range", {subscription}}};
    return request;
  }
  // A member alone in its group, stable.
  static std::string enter(TestClient& client) {
    auto joined = client.ask<JoinGroupResponse>(join(), 9);
    EXPECT_EQ(KafkaError{joined.error_code}, KafkaError::member_id_required);
    joined = client.ask<JoinGroupResponse>(join(joined.member_id), 9);
    EXPECT_EQ(joined.error_code, 0);
    SyncGroupRequest sync;
    sync.group_id = "students";
    sync.generation_id = joined.generation_id;
    sync.member_id = joined.member_id;
    sync.assignments = {{joined.member_id, {"everything"}}};
    EXPECT_EQ(client.ask<SyncGroupResponse>(sync, 5).assignment.data, "everything");
    return joined.member_id;
  }
  static OffsetCommitRequest commit(int64_t offset, const std::string& member = {}, int32_t generation = -1) {
    OffsetCommitRequest request;
    request.group_id = "students";
    request.member_id = member;
    request.generation_id = generation;
    request.topics = {{"pin", {{.partition = 0, .offset = offset, .metadata = "a note"}}}};
    return request;
  }
  static KafkaError error_of(const OffsetCommitResponse& response) {
    return KafkaError{response.topics.at(0).partitions.at(0).error_code};
  }
  static int64_t committed(TestClient& client) {
    OffsetFetchRequest request;
    request.groups.resize(1);
    request.groups[0].group_id = "students";
    request.groups[0].topics.emplace().push_back({"pin", {0}});
    const auto part = client.ask<OffsetFetchResponse>(request, 8).groups.at(0).topics.at(0).partitions.at(0);
    EXPECT_EQ(part.metadata, part.offset >= 0 ? "a note" : "");
    return part.offset;
  }
};

TEST_F(GroupsTest, AMemberJoinsCommitsAndLeaves) {
  start();
  make_topic("pin");
  TestClient client = connect();
  FindCoordinatorRequest find;
  find.key = "students";
  find.keys = {"students"};
  for (int16_t version = 0; version <= 4; ++version) {
    const auto found = client.ask<FindCoordinatorResponse>(find, version);
    EXPECT_EQ(version < 4 ? found.port : found.coordinators.at(0).port, broker_->port());
  }
  const std::string member = enter(client);
  HeartbeatRequest beat;
  beat.group_id = "students";
  beat.member_id = member;
  beat.generation_id = 1;
  EXPECT_EQ(client.ask<HeartbeatResponse>(beat, 4).error_code, 0);
  EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(commit(7, member, 1), 8)), KafkaError::none);
  EXPECT_EQ(committed(client), 7);
  EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(commit(8, member, 2), 8)), KafkaError::illegal_generation);
  EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(commit(8), 8)), KafkaError::unknown_member_id);

  DescribeGroupsRequest describe;
  describe.groups = {"students", "nobody"};
  auto groups = client.ask<DescribeGroupsResponse>(describe, 5).groups;
  EXPECT_EQ(groups.at(0).group_state, "Stable");
  EXPECT_EQ(groups.at(0).protocol_data, "range");
  EXPECT_EQ(groups.at(0).members.at(0).client_id, "test");
  EXPECT_EQ(groups.at(0).members.at(0).client_host, "/127.0.0.1");
  EXPECT_EQ(groups.at(0).members.at(0).member_assignment.data, "everything");
  EXPECT_EQ(groups.at(1).group_state, "Dead");

  DeleteGroupsRequest remove;
  remove.groups = {"students", "nobody"};
  auto removed = client.ask<DeleteGroupsResponse>(remove, 2).results;
  EXPECT_EQ(KafkaError{removed.at(0).error_code}, KafkaError::non_empty_group);
  EXPECT_EQ(KafkaError{removed.at(1).error_code}, KafkaError::group_id_not_found);
  OffsetDeleteRequest forget;
  forget.group_id = "students";
  forget.topics = {{"pin", {{0}}}};
  EXPECT_EQ(KafkaError{client.ask<OffsetDeleteResponse>(forget, 0).topics.at(0).partitions.at(0).error_code},
            kGroupSubscribedToTopic);

  LeaveGroupRequest leave;
  leave.group_id = "students";
  leave.members = {{member, std::nullopt, std::nullopt}};
  EXPECT_EQ(client.ask<LeaveGroupResponse>(leave, 5).members.at(0).error_code, 0);
  ListGroupsRequest list;
  list.states_filter = {"Empty"};
  const auto listed = client.ask<ListGroupsResponse>(list, 4).groups;
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].group_id, "students");
  EXPECT_EQ(listed[0].protocol_type, "consumer");
  EXPECT_EQ(client.ask<OffsetDeleteResponse>(forget, 0).topics.at(0).partitions.at(0).error_code, 0);
  EXPECT_EQ(committed(client), -1);
  EXPECT_TRUE(client.ask<ListGroupsResponse>(ListGroupsRequest{}, 4).groups.empty());
}

TEST_F(GroupsTest, OffsetsSurviveARestartAndMembersComeBack) {
  start();
  make_topic("pin");
  std::string member;
  {
    TestClient client = connect();
    member = enter(client);
    EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(commit(41, member, 1), 8)), KafkaError::none);
    EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(commit(42, member, 1), 8)), KafkaError::none);
  }
  start();
  TestClient client = connect();
  EXPECT_EQ(committed(client), 42);
  EXPECT_EQ(KafkaError{client.ask<JoinGroupResponse>(join(member), 9).error_code}, KafkaError::unknown_member_id);
  EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(commit(1, member, 1), 8)), KafkaError::unknown_member_id);
  enter(client);
  EXPECT_EQ(committed(client), 42);
}

TEST_F(GroupsTest, ATopicMadeAnewHasNoOffsets) {
  start();
  make_topic("pin");
  TestClient client = connect();
  EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(commit(5), 8)), KafkaError::none) << "one without membership";
  EXPECT_EQ(committed(client), 5);
  ASSERT_TRUE(log_->delete_topic("pin"));  // behind the broker's back
  EXPECT_EQ(committed(client), -1);
  make_topic("pin");
  EXPECT_EQ(committed(client), -1);
}

TEST_F(GroupsTest, OffsetsAreFetchedInEveryVersion) {
  start();
  make_topic("pin", 3);
  TestClient client = connect();
  OffsetCommitRequest request = commit(5);
  request.topics[0].partitions.push_back({.partition = 2, .offset = 9, .metadata = std::nullopt});
  for (int16_t version = 2; version <= 9; ++version) {
    EXPECT_EQ(error_of(client.ask<OffsetCommitResponse>(request, version)), KafkaError::none);
  }
  for (int16_t version = 1; version <= 7; ++version) {
    OffsetFetchRequest fetch;
    fetch.group_id = "students";
    if (version < 2) fetch.topics.emplace().push_back({"pin", {0, 2}});
    const auto topics = client.ask<OffsetFetchResponse>(fetch, version).topics;
    ASSERT_EQ(topics.size(), 1u) << version;
    EXPECT_EQ(topics[0].partitions.at(0).offset, 5);
    EXPECT_EQ(topics[0].partitions.at(1).offset, 9);
  }
  OffsetFetchRequest fetch;
  fetch.groups.resize(2);
  fetch.groups[0].group_id = "students";
  fetch.groups[1].group_id = "nobody";
  const auto groups = client.ask<OffsetFetchResponse>(fetch, 9).groups;
  EXPECT_EQ(groups.at(0).topics.at(0).partitions.size(), 2u);
  EXPECT_TRUE(groups.at(1).topics.empty());
}

TEST_F(GroupsTest, BadCommitsAreRefusedOneByOne) {
  start();
  make_topic("pin");
  TestClient client = connect();
  OffsetCommitRequest request = commit(5);
  request.topics[0].partitions.push_back({.partition = 1, .offset = 5, .metadata = std::nullopt});
  request.topics.push_back({"nowhere", {{.partition = 0, .offset = 5, .metadata = std::nullopt}}});
  request.topics.push_back({"pin", {{.partition = 0, .offset = 6, .metadata = std::string(5000, 'x')}}});
  const auto topics = client.ask<OffsetCommitResponse>(request, 8).topics;
  EXPECT_EQ(topics.at(0).partitions.at(0).error_code, 0);
  EXPECT_EQ(KafkaError{topics.at(0).partitions.at(1).error_code}, KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(KafkaError{topics.at(1).partitions.at(0).error_code}, KafkaError::unknown_topic_or_partition);
  EXPECT_EQ(KafkaError{topics.at(2).partitions.at(0).error_code}, kOffsetMetadataTooLarge);
  EXPECT_EQ(committed(client), 5);
}

TEST_F(GroupsTest, BadJoinsAreRefused) {
  options_.max_groups = 1;
  start();
  TestClient client = connect();
  JoinGroupRequest request = join();
  request.session_timeout_ms = 1;
  EXPECT_EQ(KafkaError{client.ask<JoinGroupResponse>(request, 9).error_code}, KafkaError::invalid_session_timeout);
  request = join();
  request.group_id = "";
  EXPECT_EQ(KafkaError{client.ask<JoinGroupResponse>(request, 9).error_code}, KafkaError::invalid_group_id);
  EXPECT_EQ(KafkaError{client.ask<JoinGroupResponse>(join("stranger"), 9).error_code}, KafkaError::unknown_member_id);
  enter(client);
  request = join();
  request.group_id = "another";
  EXPECT_EQ(KafkaError{client.ask<JoinGroupResponse>(request, 9).error_code}, KafkaError::coordinator_not_available);
  FindCoordinatorRequest transactional;
  transactional.key_type = 1;
  transactional.keys = {"t"};
  EXPECT_EQ(KafkaError{client.ask<FindCoordinatorResponse>(transactional, 4).coordinators.at(0).error_code},
            KafkaError::invalid_request);
}

TEST_F(GroupsTest, TwoMembersShareAndAStopSendsThemAway) {
  start();
  make_topic("pin");
  TestClient first = connect();
  const std::string a = enter(first);
  TestClient second = connect();
  const auto asked = second.send(join(), 3);  // a version that needs no id first
  HeartbeatRequest beat;
  beat.group_id = "students";
  beat.member_id = a;
  beat.generation_id = 1;
  while (first.ask<HeartbeatResponse>(beat, 4).error_code == 0) {
  }
  const auto again = first.ask<JoinGroupResponse>(join(a), 9);
  const auto joined = second.receive<JoinGroupResponse>(3, asked);
  EXPECT_EQ(again.members.size(), 2u);
  EXPECT_EQ(joined.leader, a);
  EXPECT_EQ(joined.generation_id, 2);
  EXPECT_EQ(joined.protocol_name, "range");
  SyncGroupRequest sync;
  sync.group_id = "students";
  sync.generation_id = 2;
  sync.member_id = joined.member_id;
  const auto waiting = second.send(sync, 3);
  // Answered at the latest by the stop, which follows.
  broker_->stop();
  const auto frame = second.receive_frame();
  if (frame) {
    const auto response = read_response(Api::sync_group, 3, *frame);
    EXPECT_EQ(response->correlation_id, waiting);
    EXPECT_EQ(KafkaError{decode<SyncGroupResponse>(response->body, 3)->error_code}, KafkaError::not_coordinator);
  }
}

}  // namespace
}  // namespace pinflow::kafka
