#include "kafka/broker/group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <climits>
#include <cstdlib>
#include <random>

#include "kafka/broker/errors.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {
namespace {

using ::testing::UnorderedElementsAre;

// A group with a clock that the test turns, and what its members were told.
class GroupTest : public ::testing::Test {
 protected:
  static JoinAsk ask(std::string id = {}, std::optional<std::string> instance = {}) {
    JoinAsk ask;
    ask.member_id = std::move(id);
    ask.instance_id = std::move(instance);
    ask.client_id = "client";
    ask.client_host = "/127.0.0.1";
    ask.protocol_type = "consumer";
    ask.protocols = {{"range", "r"}, {"roundrobin", "rr"}};
    ask.session_timeout_ms = 10'000;
    ask.rebalance_timeout_ms = 60'000;
    return ask;
  }

  // The slot in which the answer appears.
  size_t join(JoinAsk ask) {
    joins_.emplace_back();
    const size_t slot = joins_.size() - 1;
    group_.join(std::move(ask), now_, [this, slot](JoinAnswer answer) {
      EXPECT_FALSE(joins_[slot]) << "answered twice";
      joins_[slot] = std::move(answer);
    });
    return slot;
  }
  size_t sync(const std::string& id, int32_t generation, std::map<std::string, std::string> assignments = {}) {
    syncs_.emplace_back();
    const size_t slot = syncs_.size() - 1;
    SyncAsk ask;
    ask.member_id = id;
    ask.generation = generation;
    ask.assignments = std::move(assignments);
    group_.sync(std::move(ask), now_, [this, slot](SyncAnswer answer) {
      EXPECT_FALSE(syncs_[slot]) << "answered twice";
      syncs_[slot] = std::move(answer);
    });
    return slot;
  }
  bool waits(size_t slot) const { return !joins_[slot]; }
  const JoinAnswer& joined(size_t slot) const { return joins_[slot].value(); }
  const SyncAnswer& synced(size_t slot) const { return syncs_[slot].value(); }
  KafkaError beat(const std::string& id, int32_t generation) { return group_.heartbeat(id, {}, generation, now_); }
  void pass(int64_t ms) {
    now_ += ms;
    group_.tick(now_);
  }

  // Two members, stable; the first leads.
  void two_members() {
    const size_t first = join(ask());
    a_ = joined(first).member_id;
    const size_t second = join(ask());
    const size_t again = join(ask(a_));
    b_ = joined(second).member_id;
    generation_ = joined(again).generation;
    ASSERT_EQ(joined(again).leader, a_);
    const size_t waiting = sync(b_, generation_);
    ASSERT_FALSE(syncs_[waiting]);
    const size_t led = sync(a_, generation_, {{a_, "to a"}, {b_, "to b"}});
    ASSERT_EQ(synced(led).assignment, "to a");
    ASSERT_EQ(synced(waiting).assignment, "to b");
    ASSERT_EQ(group_.state(), Group::State::stable);
  }

  int64_t now_ = 1'000'000;
  int ids_ = 0;
  Group group_{{.max_members = 4, .initial_delay_ms = 0},
               [this](std::string_view prefix) { return std::string(prefix) + "-" + std::to_string(++ids_); }};
  std::vector<std::optional<JoinAnswer>> joins_;
  std::vector<std::optional<SyncAnswer>> syncs_;
  std::string a_;
  std::string b_;
  int32_t generation_ = 0;
};

TEST_F(GroupTest, AFirstMemberLeadsAndGetsItsOwnAssignment) {
  const size_t slot = join(ask());
  EXPECT_EQ(joined(slot).error, KafkaError::none);
  EXPECT_EQ(joined(slot).generation, 1);
  EXPECT_EQ(joined(slot).leader, joined(slot).member_id);
  EXPECT_EQ(joined(slot).protocol, "range");
  ASSERT_EQ(joined(slot).members.size(), 1u);
  EXPECT_EQ(joined(slot).members[0].metadata, "r");
  const std::string id = joined(slot).member_id;
  EXPECT_EQ(synced(sync(id, 1, {{id, "all"}})).assignment, "all");
  EXPECT_EQ(beat(id, 1), KafkaError::none);
  EXPECT_EQ(group_.view().state, "Stable");
}

TEST_F(GroupTest, ANewMemberMayFirstBeToldItsId) {
  JoinAsk first = ask();
  first.id_required = true;
  const size_t told = join(first);
  EXPECT_EQ(joined(told).error, KafkaError::member_id_required);
  EXPECT_FALSE(group_.unused());
  first.member_id = joined(told).member_id;
  const size_t slot = join(first);
  EXPECT_EQ(joined(slot).error, KafkaError::none);
  EXPECT_EQ(joined(slot).member_id, first.member_id);
  EXPECT_EQ(joined(join(ask("another"))).error, KafkaError::unknown_member_id);
}

TEST_F(GroupTest, AnIdThatIsNotUsedIsForgotten) {
  JoinAsk first = ask();
  first.id_required = true;
  const std::string id = joined(join(first)).member_id;
  EXPECT_EQ(group_.next_deadline_ms(), now_ + 10'000);
  pass(10'000);
  EXPECT_TRUE(group_.unused());
  EXPECT_EQ(joined(join(ask(id))).error, KafkaError::unknown_member_id);
}

TEST_F(GroupTest, ASecondMemberStartsARebalanceThatWaitsForTheFirst) {
  const size_t first = join(ask());
  const std::string a = joined(first).member_id;
  sync(a, 1, {{a, "all"}});
  const size_t second = join(ask());
  EXPECT_TRUE(waits(second));
  EXPECT_EQ(beat(a, 1), KafkaError::rebalance_in_progress);
  const size_t again = join(ask(a));
  EXPECT_EQ(joined(again).generation, 2);
  EXPECT_EQ(joined(second).generation, 2);
  EXPECT_EQ(joined(second).leader, a);
  EXPECT_TRUE(joined(second).members.empty());
  EXPECT_EQ(joined(again).members.size(), 2u);
}

TEST_F(GroupTest, AFirstRebalanceGathersMembersForAWhile) {
  Group group({.max_members = 10, .initial_delay_ms = 100},
              [this](std::string_view) { return std::to_string(++ids_); });
  std::vector<JoinAnswer> answers;
  const auto keep = [&](JoinAnswer answer) { answers.push_back(std::move(answer)); };
  group.join(ask(), 0, keep);
  EXPECT_EQ(group.next_deadline_ms(), 100);
  group.join(ask(), 60, keep);
  group.tick(100);
  EXPECT_TRUE(answers.empty()) << "each newcomer makes it wait anew";
  group.tick(160);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].generation, 1);
  EXPECT_EQ(answers[1].generation, 1);
}

TEST_F(GroupTest, AMemberThatDoesNotJoinAgainIsDropped) {
  two_members();
  const size_t third = join(ask());
  const size_t again = join(ask(b_));
  for (int i = 0; i < 5; ++i) {
    pass(9'000);
    EXPECT_EQ(beat(a_, generation_), KafkaError::rebalance_in_progress);
  }
  EXPECT_TRUE(waits(third));
  pass(15'000);  // the rebalance's 60 s are over
  EXPECT_EQ(joined(third).error, KafkaError::none);
  EXPECT_EQ(joined(again).leader, b_);
  EXPECT_EQ(joined(again).members.size(), 2u);
  EXPECT_EQ(beat(a_, generation_), KafkaError::unknown_member_id);
}

TEST_F(GroupTest, ASilentMemberLosesItsPlace) {
  two_members();
  pass(6'000);
  EXPECT_EQ(beat(a_, generation_), KafkaError::none);
  pass(6'000);  // b has not been heard of for 12 s
  EXPECT_EQ(beat(b_, generation_), KafkaError::unknown_member_id);
  EXPECT_EQ(beat(a_, generation_), KafkaError::rebalance_in_progress);
  const size_t again = join(ask(a_));
  EXPECT_EQ(joined(again).generation, generation_ + 1);
  EXPECT_EQ(joined(again).members.size(), 1u);
}

TEST_F(GroupTest, AMemberThatWaitsIsNotLost) {
  const size_t first = join(ask());
  const std::string a = joined(first).member_id;
  sync(a, 1, {{a, "all"}});
  const size_t second = join(ask());
  for (int i = 0; i < 5; ++i) {
    pass(9'000);
    EXPECT_EQ(beat(a, 1), KafkaError::rebalance_in_progress);
  }
  EXPECT_TRUE(waits(second));
  join(ask(a));
  EXPECT_EQ(joined(second).error, KafkaError::none);
}

TEST_F(GroupTest, LeavingStartsARebalanceAndTheLastOneEmptiesTheGroup) {
  two_members();
  EXPECT_EQ(group_.leave(a_, {}, now_), KafkaError::none);
  EXPECT_EQ(group_.leave(a_, {}, now_), KafkaError::unknown_member_id);
  EXPECT_EQ(beat(b_, generation_), KafkaError::rebalance_in_progress);
  const size_t again = join(ask(b_));
  EXPECT_EQ(joined(again).leader, b_);
  EXPECT_EQ(group_.leave(b_, {}, now_), KafkaError::none);
  EXPECT_EQ(group_.state(), Group::State::empty);
  EXPECT_TRUE(group_.unused());
  EXPECT_EQ(group_.next_deadline_ms(), INT64_MAX);
}

TEST_F(GroupTest, LeavingWhileOthersWaitLetsThemGoOn) {
  two_members();
  const size_t again = join(ask(b_));
  EXPECT_FALSE(waits(again)) << "nothing has changed for one that does not lead";
  const size_t third = join(ask());
  const size_t once_more = join(ask(b_));
  EXPECT_TRUE(waits(third));
  group_.leave(a_, {}, now_);
  EXPECT_EQ(joined(third).error, KafkaError::none);
  EXPECT_EQ(joined(once_more).error, KafkaError::none);
}

TEST_F(GroupTest, ProtocolsMustBeShared) {
  const size_t first = join(ask());
  const std::string a = joined(first).member_id;
  JoinAsk other = ask();
  other.protocols = {{"sticky", "s"}};
  EXPECT_EQ(joined(join(other)).error, KafkaError::inconsistent_group_protocol);
  other = ask();
  other.protocol_type = "connect";
  EXPECT_EQ(joined(join(other)).error, KafkaError::inconsistent_group_protocol);
  other = ask();
  other.protocols.clear();
  EXPECT_EQ(joined(join(other)).error, KafkaError::inconsistent_group_protocol);
  other = ask();
  other.protocols = {{"sticky", "s"}, {"roundrobin", "rr2"}};
  const size_t second = join(other);
  const size_t again = join(ask(a));
  EXPECT_EQ(joined(second).protocol, "roundrobin");
  EXPECT_EQ(joined(again).members.size(), 2u);
}

TEST_F(GroupTest, ALeaderThatJoinsAgainAsksForARebalance) {
  two_members();
  const size_t again = join(ask(a_));
  EXPECT_TRUE(waits(again));
  EXPECT_EQ(beat(b_, generation_), KafkaError::rebalance_in_progress);
}

TEST_F(GroupTest, OneThatMissedItsAnswerGetsTheCurrentGeneration) {
  two_members();
  const size_t again = join(ask(b_));
  EXPECT_EQ(joined(again).generation, generation_);
  EXPECT_EQ(synced(sync(b_, generation_)).assignment, "to b");
  EXPECT_EQ(group_.state(), Group::State::stable);
}

TEST_F(GroupTest, ANewJoinDuringTheSyncSendsThoseWhoWaitBack) {
  const size_t first = join(ask());
  const std::string a = joined(first).member_id;
  const size_t second = join(ask());
  join(ask(a));
  const std::string b = joined(second).member_id;
  const size_t waiting = sync(b, 2);
  join(ask());
  EXPECT_EQ(synced(waiting).error, KafkaError::rebalance_in_progress);
  EXPECT_EQ(synced(sync(a, 2)).error, KafkaError::rebalance_in_progress);
}

TEST_F(GroupTest, ThoseWhoDoNotSyncAreDropped) {
  const size_t first = join(ask());
  const std::string a = joined(first).member_id;
  const size_t second = join(ask());
  join(ask(a));
  const std::string b = joined(second).member_id;
  const size_t waiting = sync(b, 2);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(beat(a, 2), KafkaError::none);
    pass(9'000);
  }
  pass(6'000);
  EXPECT_EQ(synced(waiting).error, KafkaError::rebalance_in_progress);
  EXPECT_EQ(beat(a, 2), KafkaError::unknown_member_id);
  EXPECT_EQ(joined(join(ask(b))).members.size(), 1u);
}

TEST_F(GroupTest, StrangersAndThePastAreRefused) {
  two_members();
  EXPECT_EQ(beat("nobody", generation_), KafkaError::unknown_member_id);
  EXPECT_EQ(beat(a_, generation_ - 1), KafkaError::illegal_generation);
  EXPECT_EQ(synced(sync("nobody", generation_)).error, KafkaError::unknown_member_id);
  EXPECT_EQ(synced(sync(a_, generation_ + 1)).error, KafkaError::illegal_generation);
  EXPECT_EQ(joined(join(ask("nobody"))).error, KafkaError::unknown_member_id);
}

TEST_F(GroupTest, CommitsAreForMembersOfTheGenerationOrForNobodysGroup) {
  EXPECT_EQ(group_.check_commit("", {}, -1, now_), KafkaError::none);
  two_members();
  EXPECT_EQ(group_.check_commit("", {}, -1, now_), KafkaError::unknown_member_id);
  EXPECT_EQ(group_.check_commit(a_, {}, generation_, now_), KafkaError::none);
  EXPECT_EQ(group_.check_commit(a_, {}, generation_ - 1, now_), KafkaError::illegal_generation);
  const size_t third = join(ask());
  EXPECT_EQ(group_.check_commit(a_, {}, generation_, now_), KafkaError::none) << "before it gives its partitions up";
  join(ask(a_));
  join(ask(b_));
  EXPECT_EQ(group_.check_commit(a_, {}, joined(third).generation, now_), KafkaError::rebalance_in_progress);
}

TEST_F(GroupTest, TheNumberOfMembersIsBounded) {
  for (int i = 0; i < 4; ++i) join(ask());
  EXPECT_EQ(joined(join(ask())).error, kGroupMaxSizeReached);
}

TEST_F(GroupTest, AStaticMemberThatRestartsGetsItsOldAssignmentBack) {
  const size_t first = join(ask({}, "one"));
  const std::string a = joined(first).member_id;
  const size_t second = join(ask({}, "two"));
  join(ask(a, "one"));
  const std::string b = joined(second).member_id;
  sync(b, 2);
  sync(a, 2, {{a, "to a"}, {b, "to b"}});

  const size_t restarted = join(ask({}, "two"));
  EXPECT_EQ(joined(restarted).error, KafkaError::none);
  EXPECT_EQ(joined(restarted).generation, 2);
  const std::string c = joined(restarted).member_id;
  EXPECT_NE(c, b);
  EXPECT_EQ(synced(sync(c, 2)).assignment, "to b");
  EXPECT_EQ(group_.heartbeat(b, "two", 2, now_), KafkaError::fenced_instance_id);
  EXPECT_EQ(group_.heartbeat(c, "two", 2, now_), KafkaError::none);
  EXPECT_EQ(beat(a, 2), KafkaError::none);

  JoinAsk leader = ask({}, "one");
  leader.may_skip_assignment = true;
  const size_t led = join(leader);
  EXPECT_TRUE(joined(led).skip_assignment);
  EXPECT_EQ(joined(led).leader, joined(led).member_id);
  EXPECT_EQ(joined(led).members.size(), 2u);
  const size_t old_leader = join(ask({}, "one"));
  EXPECT_NE(joined(old_leader).leader, joined(old_leader).member_id) << "it must not think that it is to assign";
  EXPECT_EQ(synced(sync(joined(old_leader).member_id, 2)).assignment, "to a");
}

TEST_F(GroupTest, AStaticMemberIsKeptThroughARebalanceUntilItsSessionEnds) {
  JoinAsk slow = ask({}, "one");
  slow.session_timeout_ms = 100'000;
  const size_t first = join(slow);
  const std::string a = joined(first).member_id;
  sync(a, 1, {{a, "all"}});
  const size_t second = join(ask());
  pass(60'000);
  EXPECT_EQ(joined(second).error, KafkaError::none);
  EXPECT_EQ(joined(second).leader, joined(second).member_id);
  EXPECT_EQ(joined(second).members.size(), 2u);
  EXPECT_EQ(group_.leave("", "one", now_), KafkaError::none) << "an admin may remove it by its instance";
}

TEST_F(GroupTest, AbandonAnswersAllWhoWait) {
  two_members();
  const size_t third = join(ask());
  group_.abandon(KafkaError::not_coordinator);
  EXPECT_EQ(joined(third).error, KafkaError::not_coordinator);
}

TEST_F(GroupTest, SubscriptionsAreReadFromTheMembersMetadata) {
  JoinAsk reader = ask();
  std::string metadata;
  Writer out(metadata);
  out.integer<int16_t>(1);
  out.array(2, false);
  out.string("pin", false);
  out.string("geo", false);
  reader.protocols = {{"range", metadata}};
  join(reader);
  EXPECT_TRUE(group_.subscribes("pin"));
  EXPECT_TRUE(group_.subscribes("geo"));
  EXPECT_FALSE(group_.subscribes("user"));
}

TEST_F(GroupTest, TheViewHasMetadataAndAssignmentsWhenStable) {
  two_members();
  const GroupView view = group_.view();
  EXPECT_EQ(view.protocol, "range");
  std::vector<std::string> assignments;
  for (const auto& member : view.members) {
    assignments.push_back(member.assignment);
    EXPECT_EQ(member.metadata, "r");
    EXPECT_EQ(member.client_id, "client");
  }
  EXPECT_THAT(assignments, UnorderedElementsAre("to a", "to b"));
}

// Members that come, go, fall silent and answer late in any order: everybody who waits is answered in bounded time,
// never twice, and the generation never goes back.
TEST_F(GroupTest, HoldsItsPromisesUnderRandomUse) {
  const unsigned seed = std::random_device{}();
  std::srand(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::vector<std::string> ids;
  int32_t newest = 0;
  for (int step = 0; step < 3000; ++step) {
    const std::string id = ids.empty() ? "" : ids[static_cast<size_t>(std::rand()) % ids.size()];
    switch (std::rand() % 6) {
      case 0: join(ask()); break;
      case 1: join(ask(id)); break;
      case 2: sync(id, newest, {{id, "x"}}); break;
      case 3: beat(id, newest); break;
      case 4: group_.leave(id, {}, now_); break;
      case 5: pass(std::rand() % 8'000); break;
    }
    ids.clear();
    for (const auto& member : group_.view().members) ids.push_back(member.id);
    for (const auto& answer : joins_) {
      if (answer && answer->error == KafkaError::none) newest = std::max(newest, answer->generation);
    }
    if (joins_.size() > 50) {
      pass(200'000);
      pass(200'000);
      for (size_t i = 0; i < joins_.size(); ++i) EXPECT_TRUE(joins_[i]) << i << " still waits";
      for (size_t i = 0; i < syncs_.size(); ++i) EXPECT_TRUE(syncs_[i]) << i << " still waits";
      joins_.clear();
      syncs_.clear();
    }
  }
}

}  // namespace
}  // namespace pinflow::kafka
