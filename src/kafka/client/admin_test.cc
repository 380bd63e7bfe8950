#include "kafka/client/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "kafka/client/commands.h"
#include "kafka/client/identity.h"
#include "kafka/client/mock_cluster_test.h"

namespace pinflow::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What the mock brokers do not know (creating, deleting, configs) is tried against a broker in tests/.
class AdminTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared = std::make_unique<MockCluster>();
    shared->create_topic("b", 2);
    shared->create_topic("a", 1);
    shared->create_topic("__internal", 1);
  }
  static void TearDownTestSuite() { shared.reset(); }
  static std::unique_ptr<MockCluster> shared;
  MockCluster& cluster = *shared;
  std::unique_ptr<Admin> admin = *Admin::open(cluster.config(), 300);
};
std::unique_ptr<MockCluster> AdminTest::shared;

TEST_F(AdminTest, ListsAndDescribes) {
  EXPECT_THAT(*admin->list_topics(), ElementsAre("a", "b"));
  EXPECT_THAT(*admin->list_topics(true), ElementsAre("__internal", "a", "b"));
  auto info = admin->describe_topic("b");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->partitions.size(), 2u);
  auto missing = admin->describe_topic("none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("none"));
  auto marks = admin->watermarks({"a", 0});
  ASSERT_TRUE(marks) << marks.error().message;
  EXPECT_EQ(marks->low, 0);
  EXPECT_EQ(marks->high, 0);
  EXPECT_FALSE(admin->cluster_id()->empty());
}

TEST_F(AdminTest, SaysWhatTheClusterCannotDo) {
  auto created = admin->create_topic({.name = "c", .partitions = 1, .replication_factor = 1});
  ASSERT_FALSE(created);
  EXPECT_THAT(created.error().message, HasSubstr("creating topic c"));
  auto nonsense = admin->create_topic({.name = "", .partitions = 1, .replication_factor = 1});
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().code, Code::invalid);
  auto deleted = admin->delete_topic("a");
  ASSERT_FALSE(deleted);
  EXPECT_THAT(deleted.error().message, HasSubstr("deleting topic a"));
}

TEST_F(AdminTest, AGroupIsAskedForUntilItsCoordinatorIsThere) {
  rd_kafka_mock_push_request_errors(cluster.get(), 9 /* OffsetFetch */, 2, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                    RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
  const auto patient = *Admin::open(cluster.config(), 5'000);
  auto offsets = patient->group_offsets("unseen");
  ASSERT_TRUE(offsets) << offsets.error().message;
  EXPECT_TRUE(offsets->empty());
}

TEST_F(AdminTest, TheListCommandPrintsNames) {
  std::ostringstream text, json;
  ASSERT_TRUE(list_topics_command(cluster.config(), Output::text, text));
  EXPECT_EQ(text.str(), "__internal\na\nb\n");
  ASSERT_TRUE(list_topics_command(cluster.config(), Output::json, json));
  EXPECT_EQ(json.str(), "[\"__internal\",\"a\",\"b\"]\n");
}

// Brokers this old have no topic ids, but tell who they are.
TEST_F(AdminTest, ReadsIdentities) {
  auto identities = read_identities(cluster.config(), {"a", "b"});
  ASSERT_TRUE(identities) << identities.error().message;
  EXPECT_EQ(identities->size(), 2u);
  EXPECT_EQ(identities->at("a").cluster_id, *admin->cluster_id());
  EXPECT_EQ(identities->at("a").topic_id, "");
  auto missing = read_identities(cluster.config(), {"a", "none"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("none"));
  EXPECT_THAT(*admin->list_topics(), ElementsAre("a", "b"));  // asking has created nothing
  auto nobody = read_identities({"127.0.0.1:1", {}}, {"a"});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::unavailable);
  EXPECT_THAT(nobody.error().message, HasSubstr("127.0.0.1:1"));
}

TEST(TopicId, IsPrintedAsKafkaDoes) {
  EXPECT_EQ(topic_id_text(std::string(16, '\xff')), "_____________________w");
  EXPECT_EQ(topic_id_text(std::string(16, '\0')), "AAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(topic_id_text(""), "");
}

TEST(TopicConfig, IsKeyAndValue) {
  EXPECT_EQ(topic_config("retention.ms=10")->second, "10");
  EXPECT_EQ(topic_config("a=b=c")->second, "b=c");
  EXPECT_EQ(topic_config("a=")->second, "");
  EXPECT_FALSE(topic_config("a"));
  EXPECT_FALSE(topic_config("=b"));
}

}  // namespace
}  // namespace pinflow::kafka
