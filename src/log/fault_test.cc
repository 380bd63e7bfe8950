// A full disk, I/O errors, short writes: nothing is acknowledged that is not stored, nothing stays that was refused,
// and work goes on.
#include <gmock/gmock.h>

#include <fstream>
#include <random>
#include <thread>

#include "log/faulty_calls_test.h"
#include "log/helpers_test.h"

namespace pinflow::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Fault : public testing::Test {
 protected:
  ~Fault() override { faults_.open_gate(); }

  void open(LogOptions options = {}) {
    log_.reset();
    auto log = open_log(folder_.path(), options, std::make_unique<FaultyCalls>(faults_));
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    if (log_->find_topic("t")) return;
    ASSERT_TRUE(log_->create_topic("t", 1, {}));
  }

  // The group that holds the returned append is in its fsync, which waits.
  std::future<Result<Appended>> append_and_wait_in_sync(std::string batch) {
    faults_.close_gate();
    auto first = append_async(*log_, "t", 0, std::move(batch));
    faults_.wait_until_a_sync_waits();
    return first;
  }

  Code refused(std::string batch) {
    const auto appended = append(*log_, "t", 0, std::move(batch));
    EXPECT_FALSE(appended);
    return appended ? Code::cancelled : appended.error().code;
  }

  uint64_t file_bytes() { return std::filesystem::file_size(folder_.partition("t", 0) / "00000000000000000000.log"); }

  Folder folder_;
  Faults faults_;
  std::unique_ptr<Log> log_;
};

TEST_F(Fault, ShortWritesAreContinued) {
  open();
  faults_.most_bytes = 7;
  EXPECT_EQ(append_values(*log_, {"a", std::string(1000, 'x')}), 0);
  EXPECT_EQ(append_values(*log_, {std::string(100'000, 'y')}), 2);
  faults_.most_bytes = 1 << 20;
  EXPECT_THAT(read_values(*log_),
              ElementsAre(Value{0, "a"}, Value{1, std::string(1000, 'x')}, Value{2, std::string(100'000, 'y')}));
}

TEST_F(Fault, AFullDiskIsAnsweredAndWorkGoesOn) {
  open();
  append_values(*log_, {"a"});
  const auto bytes = file_bytes();
  for (const int64_t room : {0, 1, 61, 70}) {
    faults_.room = room;
    const auto appended = append(*log_, "t", 0, batch_of({"does not fit"}));
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, Code::full);
    EXPECT_THAT(appended.error().message, HasSubstr("t-0"));
    EXPECT_THAT(appended.error().message, HasSubstr("No space left"));
    EXPECT_EQ(file_bytes(), bytes);
    EXPECT_EQ(log_->offsets("t", 0)->end, 1);
  }
  faults_.room = 1 << 20;
  EXPECT_EQ(append_values(*log_, {"b"}), 1);
  open();
  EXPECT_THAT(read_values(*log_), ElementsAre(Value{0, "a"}, Value{1, "b"}));
}

TEST_F(Fault, AFailedWriteOrFsyncIsUnavailable) {
  open();
  append_values(*log_, {"a"});
  const auto bytes = file_bytes();
  faults_.write_error = EIO;
  EXPECT_EQ(refused(batch_of({"x"})), Code::unavailable);
  faults_.write_error = 0;
  EXPECT_EQ(append_values(*log_, {"b"}), 1);
  faults_.sync_error = EIO;
  EXPECT_EQ(refused(batch_of({"y"})), Code::unavailable);
  EXPECT_EQ(log_->offsets("t", 0)->end, 2);
  EXPECT_EQ(refused(batch_of({"z"})), Code::unavailable);
  faults_.sync_error = ENOSPC;
  EXPECT_EQ(refused(batch_of({"z"})), Code::full);
  faults_.sync_error = 0;
  EXPECT_EQ(append_values(*log_, {"c"}), 2);
  EXPECT_GT(file_bytes(), bytes);
  open();
  EXPECT_THAT(read_values(*log_), ElementsAre(Value{0, "a"}, Value{1, "b"}, Value{2, "c"}));
}

TEST_F(Fault, WhileTheTailCannotBeCutNothingIsTaken) {
  open();
  append_values(*log_, {"a"});
  faults_.sync_error = EIO;
  faults_.truncate_error = EIO;
  EXPECT_EQ(refused(batch_of({"x"})), Code::unavailable);
  faults_.sync_error = 0;
  EXPECT_EQ(refused(batch_of({"y"})), Code::unavailable);
  EXPECT_EQ(log_->offsets("t", 0)->end, 1);
  faults_.truncate_error = 0;
  EXPECT_EQ(append_values(*log_, {"b"}), 1);
  open();
  EXPECT_THAT(read_values(*log_), ElementsAre(Value{0, "a"}, Value{1, "b"}));
}

TEST_F(Fault, NothingIsVisibleOrAcknowledgedBeforeItsFsync) {
  open();
  const uint64_t seen = log_->growth();
  auto waiting = append_and_wait_in_sync(batch_of({"a"}));
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_EQ(log_->offsets("t", 0)->end, 0);
  EXPECT_EQ(*log_->read("t", 0, 0, 100), "");
  EXPECT_EQ(log_->growth(), seen);
  faults_.open_gate();
  EXPECT_TRUE(waiting.get());
  EXPECT_EQ(log_->offsets("t", 0)->end, 1);
}

TEST_F(Fault, WhatGathersDuringAnFsyncIsOneGroup) {
  open();
  auto first = append_and_wait_in_sync(batch_of({"a"}));
  std::vector<std::future<Result<Appended>>> gathered;
  for (int i = 0; i < 1000; ++i) gathered.push_back(append_async(*log_, "t", 0, batch_of({"b"})));
  const int syncs = faults_.syncs;
  faults_.open_gate();
  EXPECT_EQ(first.get()->base_offset, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(gathered[static_cast<size_t>(i)].get()->base_offset, 1 + i);
  EXPECT_EQ(faults_.syncs, syncs + 2);
}

// What a power loss leaves while a group is in its fsync: what was on the disk before, and any of the group's sectors.
TEST_F(Fault, APowerLossInAnFsyncLosesNothingAcknowledged) {
  constexpr int64_t kSector = 512;
  constexpr int kGroup = 30;
  open();
  std::vector<std::string> values;
  const auto value = [&](int i) { return std::to_string(i) + std::string(static_cast<size_t>(i * 97 % 1500), 'x'); };
  for (int i = 0; i < 5; ++i) append_values(*log_, {values.emplace_back(value(i))});
  auto first = append_and_wait_in_sync(batch_of({values.emplace_back(value(5))}));
  std::vector<std::future<Result<Appended>>> group;
  for (int i = 6; i < 6 + kGroup; ++i) {
    group.push_back(append_async(*log_, "t", 0, batch_of({values.emplace_back(value(i))})));
  }
  faults_.let_one_pass();
  ASSERT_TRUE(first.get());
  const size_t acknowledged = 6;
  size_t durable = 0;
  for (size_t i = 0; i < acknowledged; ++i) durable += batch_of({values[i]}).size();
  Folder copy;
  std::filesystem::copy(folder_.path(), copy.path(), std::filesystem::copy_options::recursive);
  const auto path = copy.partition("t", 0) / "00000000000000000000.log";
  const std::string whole = read_file(path).value();
  faults_.open_gate();
  for (auto& one : group) ASSERT_TRUE(one.get());

  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round) {
    auto left = whole;
    for (size_t at = 0; at < left.size(); at += kSector) {
      const size_t from = std::max(at, durable);
      const size_t to = std::min(at + kSector, left.size());
      if (from < to && random() % 4 == 0) left.replace(from, to - from, to - from, '\0');
    }
    if (random() % 3 == 0) left.resize(durable + random() % (whole.size() - durable));
    std::ofstream(path, std::ios::binary | std::ios::trunc) << left;
    std::filesystem::remove(std::filesystem::path(path).replace_extension(".index"));
    const auto log = Log::open(copy.path(), {});
    ASSERT_TRUE(log) << log.error().message;
    const auto found = read_values(**log);
    ASSERT_GE(found.size(), acknowledged);
    for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], (Value{static_cast<int64_t>(i), values[i]}));
  }
}

TEST_F(Fault, WhatGatheredBehindAFailedFsyncFailsAsWell) {
  open({.segment_bytes = 300});
  append_values(*log_, {"a"});
  auto first = append_and_wait_in_sync(batch_of({"x"}));
  std::vector<std::future<Result<Appended>>> gathered;
  for (int i = 0; i < 20; ++i) gathered.push_back(append_async(*log_, "t", 0, batch_of({"y"})));
  faults_.sync_error = EIO;
  faults_.open_gate();
  EXPECT_EQ(first.get().error().code, Code::unavailable);
  for (auto& one : gathered) EXPECT_EQ(one.get().error().code, Code::unavailable);
  faults_.sync_error = 0;
  for (int i = 1; i < 10; ++i) EXPECT_EQ(append_values(*log_, {"b"}), i);
  EXPECT_EQ(read_values(*log_).size(), 10u);
  open();
  EXPECT_EQ(read_values(*log_).size(), 10u);
}

TEST_F(Fault, AboveThePendingBytesAppendsAreFull) {
  const std::string batch = batch_of({std::string(10'000, 'x')});
  open({.pending_bytes = 35'000});
  ASSERT_TRUE(log_->create_topic("u", 1, {}));
  std::vector<std::future<Result<Appended>>> taken;
  taken.push_back(append_and_wait_in_sync(batch));
  taken.push_back(append_async(*log_, "t", 0, batch));
  taken.push_back(append_async(*log_, "t", 0, batch));
  EXPECT_EQ(refused(batch), Code::full);
  EXPECT_EQ(append(*log_, "u", 0, batch).error().code, Code::full);
  faults_.open_gate();
  for (auto& one : taken) EXPECT_TRUE(one.get());
  EXPECT_TRUE(append(*log_, "t", 0, batch));
  EXPECT_TRUE(append(*log_, "u", 0, batch));
  // One that is larger than the limit alone passes when nothing else waits.
  EXPECT_TRUE(append(*log_, "t", 0, batch_of({std::string(100'000, 'x')})));
}

TEST_F(Fault, AFailedSegmentChangeLosesNothing) {
  open({.segment_bytes = 200});
  append_values(*log_, {std::string(150, 'a')});
  // A folder in the way of the next segment's file.
  const auto in_the_way = folder_.partition("t", 0) / "00000000000000000001.log";
  std::filesystem::create_directory(in_the_way);
  EXPECT_FALSE(append(*log_, "t", 0, batch_of({std::string(150, 'b')})));
  EXPECT_EQ(log_->offsets("t", 0)->end, 1);
  std::filesystem::remove(in_the_way);
  EXPECT_EQ(append_values(*log_, {std::string(150, 'c')}), 1);
  open();
  EXPECT_THAT(read_values(*log_), ElementsAre(Value{0, std::string(150, 'a')}, Value{1, std::string(150, 'c')}));
}

TEST_F(Fault, ClosingWaitsForWhatIsPending) {
  open();
  auto first = append_and_wait_in_sync(batch_of({"a"}));
  auto second = append_async(*log_, "t", 0, batch_of({"b"}));
  std::thread closing([&] { log_.reset(); });
  faults_.open_gate();
  closing.join();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  open();
  EXPECT_THAT(read_values(*log_), ElementsAre(Value{0, "a"}, Value{1, "b"}));
}

TEST_F(Fault, DeletingATopicAnswersWhatIsPending) {
  open();
  auto first = append_and_wait_in_sync(batch_of({"a"}));
  auto second = append_async(*log_, "t", 0, batch_of({"b"}));
  std::thread deleting([&] { EXPECT_TRUE(log_->delete_topic("t")); });
  EXPECT_EQ(second.get().error().code, Code::not_found);
  faults_.open_gate();
  deleting.join();
  first.get();
  EXPECT_TRUE(log_->create_topic("t", 1, {}));
  EXPECT_EQ(append_values(*log_, {"new"}), 0);
}

TEST_F(Fault, ARepeatOfAPendingBatchIsAcknowledgedWhenThatIsOnTheDisk) {
  open();
  auto first = append_and_wait_in_sync(batch_of({"a"}, 7, 0, 0));
  auto repeated = append_async(*log_, "t", 0, batch_of({"a"}, 7, 0, 0));
  EXPECT_EQ(repeated.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  faults_.open_gate();
  EXPECT_EQ(first.get()->base_offset, 0);
  EXPECT_EQ(repeated.get()->base_offset, 0);
  EXPECT_THAT(read_values(*log_), ElementsAre(Value{0, "a"}));
}

TEST_F(Fault, ARepeatOfAFailedBatchIsStored) {
  open();
  auto first = append_and_wait_in_sync(batch_of({"a"}, 7, 0, 0));
  auto repeated = append_async(*log_, "t", 0, batch_of({"a"}, 7, 0, 0));
  faults_.sync_error = EIO;
  faults_.open_gate();
  EXPECT_FALSE(first.get());
  EXPECT_FALSE(repeated.get());
  faults_.sync_error = 0;
  // The producer's second batch was on its way: it must not be taken as its first.
  EXPECT_EQ(refused(batch_of({"b"}, 7, 0, 1)), Code::conflict);
  EXPECT_EQ(append(*log_, "t", 0, batch_of({"a"}, 7, 0, 0))->base_offset, 0);
  EXPECT_EQ(append(*log_, "t", 0, batch_of({"b"}, 7, 0, 1))->base_offset, 1);
  EXPECT_THAT(read_values(*log_), ElementsAre(Value{0, "a"}, Value{1, "b"}));
}

TEST_F(Fault, AFailedBatchIsForgottenOfAProducerThatIsKnown) {
  open();
  ASSERT_TRUE(append(*log_, "t", 0, batch_of({"a"}, 7, 0, 0)));
  faults_.sync_error = EIO;
  EXPECT_EQ(refused(batch_of({"b", "c"}, 7, 0, 1)), Code::unavailable);
  faults_.sync_error = 0;
  EXPECT_EQ(refused(batch_of({"d"}, 7, 0, 3)), Code::conflict);
  EXPECT_EQ(append(*log_, "t", 0, batch_of({"b", "c"}, 7, 0, 1))->base_offset, 1);
  EXPECT_EQ(append(*log_, "t", 0, batch_of({"a"}, 7, 0, 0))->base_offset, 0);
  EXPECT_EQ(append(*log_, "t", 0, batch_of({"d"}, 7, 0, 3))->base_offset, 3);
}

}  // namespace
}  // namespace pinflow::log
