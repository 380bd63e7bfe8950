#include "sink/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class PartitionTest : public testing::Test {
 protected:
  Partition& begin(Rotation rotation, int64_t start = 0, std::vector<Range> known = {}) {
    partition_ =
        std::make_unique<Partition>(rotation, gate_, start, Coverage::of(std::move(known)).value(), [this](File file) {
          given_.push_back(
              fmt::format("{}{}-{}:{}", file.kind == Kind::dead ? "dead " : "", file.first, file.next, file.records));
          bytes_ += file.bytes;
        });
    return *partition_;
  }
  void take(int64_t offset, std::optional<std::string_view> value = "{ }", int64_t now_ms = 0) {
    ASSERT_TRUE(partition_->take({.topic = "t", .offset = offset, .value = value}, {now_ms, 0}));
  }
  std::vector<std::string> given() { return std::exchange(given_, {}); }

  gate::JsonGate gate_;
  std::unique_ptr<Partition> partition_;
  std::vector<std::string> given_;
  std::string bytes_;
};

TEST_F(PartitionTest, ClosesAtFlushSize) {
  begin({.flush_size = 3});
  for (int64_t offset = 0; offset < 7; ++offset) take(offset);
  EXPECT_THAT(given(), ElementsAre("0-3:3", "3-6:3"));
  EXPECT_EQ(partition_->given(), 6);
  EXPECT_EQ(partition_->position(), 7);
  EXPECT_EQ(partition_->open_records(), 1);
  partition_->close_all(Cause::told);
  EXPECT_THAT(given(), ElementsAre("6-7:1"));
  EXPECT_EQ(partition_->given(), 7);
  partition_->close_all(Cause::told);
  EXPECT_THAT(given(), IsEmpty());
  EXPECT_EQ(bytes_, "{}\n{}\n{}\n{}\n{}\n{}\n{}\n");
}

TEST_F(PartitionTest, AGapOrADeadRecordEndsAFile) {
  begin({});
  take(0);
  take(1);
  take(5);
  take(6, "not JSON");
  take(7, std::nullopt);
  take(8);
  EXPECT_THAT(given(), ElementsAre("0-2:2", "5-6:1"));
  EXPECT_EQ(partition_->given(), 6);
  partition_->close_all(Cause::told);
  EXPECT_THAT(given(), ElementsAre("8-9:1", "dead 6-8:2"));
}

TEST_F(PartitionTest, PassesOverWhatTheLakeHolds) {
  begin({}, 2, {{3, 5}, {7, 8}});
  for (int64_t offset = 2; offset < 10; ++offset) take(offset, offset == 7 ? "dead" : "{}");
  partition_->close_all(Cause::told);
  EXPECT_THAT(given(), ElementsAre("2-3:1", "5-7:2", "8-10:2"));
  EXPECT_EQ(partition_->taken(), 8);
  EXPECT_EQ(partition_->passed_over(), 3);
}

TEST_F(PartitionTest, IgnoresWhatItHasSeen) {
  begin({}, 4);
  take(3);
  take(4);
  take(4);
  take(5);
  take(4);
  EXPECT_EQ(partition_->taken(), 2);
  partition_->close_all(Cause::told);
  EXPECT_THAT(given(), ElementsAre("4-6:2"));
}

TEST_F(PartitionTest, ClosesByBytesAgeAndIdleness) {
  begin({.max_bytes = 10});
  take(0, "\"1234567\"");
  take(1, "\"1234567\"");
  EXPECT_THAT(given(), ElementsAre("0-1:1", "1-2:1"));
  begin({.max_age = 100ms, .max_idle = 30ms});
  take(0, "1", 0);
  for (int64_t ms = 25; ms < 100; ms += 25) {
    take(ms / 25, "1", ms);
    partition_->close_due({ms + 24, 0});
  }
  EXPECT_THAT(given(), IsEmpty());
  partition_->close_due({100, 0});
  EXPECT_THAT(given(), ElementsAre("0-4:4"));
  take(4, "1", 200);
  take(5, std::nullopt, 210);
  partition_->close_due({229, 0});
  EXPECT_THAT(given(), IsEmpty());
  partition_->close_due({230, 0});
  EXPECT_THAT(given(), ElementsAre("4-5:1"));
  partition_->close_due({240, 0});
  EXPECT_THAT(given(), ElementsAre("dead 5-6:1"));
}

TEST_F(PartitionTest, ReachesTheLogsEndBeyondItsLastRecord) {
  begin({});
  take(0);
  partition_->reach(2);
  EXPECT_EQ(partition_->reached(), 2);
  EXPECT_EQ(partition_->position(), 1);
  take(2);
  EXPECT_EQ(partition_->reached(), 3);
}

}  // namespace
}  // namespace pinflow::sink
