#include "log/producer_state.h"

#include <gmock/gmock.h>

#include <limits>

#include "log/helpers_test.h"

namespace pinflow::log {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

constexpr int32_t kLastSequence = std::numeric_limits<int32_t>::max();

BatchHeader produced(int64_t producer, int16_t epoch, int32_t sequence, int32_t records, int64_t offset = 0) {
  BatchHeader header;
  header.base_offset = offset;
  header.producer_id = producer;
  header.producer_epoch = epoch;
  header.base_sequence = sequence;
  header.record_count = records;
  header.last_offset_delta = records - 1;
  return header;
}

// "next", "repeat of <offset>", or the code.
std::string verdict(const ProducerState& state, const BatchHeader& batch) {
  const auto checked = state.check(batch);
  if (!checked) return std::string(name_of(checked.error().code));
  return *checked ? "repeat of " + std::to_string((*checked)->base_offset) : "next";
}

TEST(ProducerState, TakesTheNextAndKnowsTheLastFive) {
  ProducerState state;
  EXPECT_EQ(verdict(state, produced(1, 0, 0, 2)), "next");
  for (int i = 0; i < 7; ++i) state.add(produced(1, 0, 2 * i, 2, 100 + 2 * i), 5);
  EXPECT_EQ(verdict(state, produced(1, 0, 14, 1)), "next");
  EXPECT_EQ(verdict(state, produced(1, 0, 15, 1)), "conflict");
  for (int i = 2; i < 7; ++i) {
    EXPECT_EQ(verdict(state, produced(1, 0, 2 * i, 2)), "repeat of " + std::to_string(100 + 2 * i));
  }
  EXPECT_EQ(verdict(state, produced(1, 0, 2, 2)), "conflict");   // too long ago
  EXPECT_EQ(verdict(state, produced(1, 0, 12, 1)), "conflict");  // not the same batch
  EXPECT_EQ(verdict(state, produced(2, 0, 9, 1)), "next");       // not known: any sequence
}

TEST(ProducerState, AnOlderEpochIsDeniedAndANewerBeginsAtZero) {
  ProducerState state;
  state.add(produced(1, 3, 0, 1), 5);
  EXPECT_EQ(verdict(state, produced(1, 2, 1, 1)), "denied");
  EXPECT_EQ(verdict(state, produced(1, 4, 1, 1)), "conflict");
  EXPECT_EQ(verdict(state, produced(1, 4, 0, 1)), "next");
  state.add(produced(1, 4, 0, 1), 5);
  EXPECT_EQ(verdict(state, produced(1, 3, 1, 1)), "denied");
  EXPECT_EQ(verdict(state, produced(1, 4, 1, 1)), "next");
}

TEST(ProducerState, SequencesGoRound) {
  ProducerState state;
  state.add(produced(1, 0, kLastSequence - 1, 3, 10), 5);  // …-1, last, 0
  EXPECT_EQ(verdict(state, produced(1, 0, kLastSequence - 1, 3)), "repeat of 10");
  EXPECT_EQ(verdict(state, produced(1, 0, 1, 1)), "next");
  EXPECT_EQ(verdict(state, produced(1, 0, 0, 1)), "conflict");
}

TEST(ProducerState, ImpossibleNumbersAreInvalid) {
  ProducerState state;
  EXPECT_EQ(verdict(state, produced(1, -1, 0, 1)), "invalid");
  EXPECT_EQ(verdict(state, produced(1, 0, -1, 1)), "invalid");
}

TEST(ProducerState, SurvivesItsFile) {
  ProducerState state;
  for (int i = 0; i < 7; ++i) state.add(produced(1, 2, i, 1, 50 + i), 1000 + i);
  state.add(produced(9, 0, kLastSequence, 1, 70), 2000);
  const std::string file = state.encode(71);
  const auto read = ProducerState::decode(file, 71);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->size(), 2u);
  EXPECT_EQ(read->encode(71).size(), file.size());
  EXPECT_EQ(verdict(*read, produced(1, 2, 7, 1)), "next");
  EXPECT_EQ(verdict(*read, produced(1, 2, 2, 1)), "repeat of 52");
  EXPECT_EQ(verdict(*read, produced(1, 1, 7, 1)), "denied");
  EXPECT_EQ(verdict(*read, produced(9, 0, 0, 1)), "next");
  EXPECT_FALSE(ProducerState::decode(file, 72));
  for (size_t i = 0; i < file.size(); ++i) {
    auto broken = file;
    broken[i] = static_cast<char>(broken[i] ^ 4);
    EXPECT_FALSE(ProducerState::decode(broken, 71)) << i;
    EXPECT_FALSE(ProducerState::decode(file.substr(0, i), 71)) << i;
  }
}

TEST(ProducerState, RollsBack) {
  ProducerState durable;
  durable.add(produced(1, 0, 0, 1, 0), 5);
  ProducerState state = durable;
  state.add(produced(1, 0, 1, 1, 1), 5);
  state.add(produced(2, 0, 4, 1, 2), 5);
  state.add(produced(2, 0, 5, 1, 3), 5);
  state.roll_back_to(durable);
  EXPECT_EQ(verdict(state, produced(1, 0, 1, 1)), "next");
  EXPECT_EQ(verdict(state, produced(2, 0, 5, 1)), "conflict");
  EXPECT_EQ(verdict(state, produced(2, 0, 4, 1)), "next");
}

TEST(ProducerState, ForgetsWhoIsUnused) {
  ProducerState state;
  state.add(produced(1, 0, 0, 1), 1000);
  state.add(produced(2, 0, 0, 1), 2000);
  state.forget_unused(1500 + kProducerExpiryMs);
  EXPECT_EQ(state.size(), 1u);
  EXPECT_EQ(verdict(state, produced(1, 0, 7, 1)), "next");
  EXPECT_EQ(verdict(state, produced(2, 0, 7, 1)), "conflict");
}

TEST(ProducerState, IsBounded) {
  ProducerState state;
  const auto many = static_cast<int64_t>(kMaxProducers) * 3;
  for (int64_t i = 0; i < many; ++i) state.add(produced(i, 0, 0, 1), 1000 + i / 10);
  EXPECT_LE(state.size(), kMaxProducers);
  EXPECT_EQ(verdict(state, produced(many - 1, 0, 5, 1)), "conflict");  // the last used are known
}

TEST(IdempotentProducer, IsHeldToItsSequence) {
  Folder folder;
  for (int round = 0; round < 2; ++round) {
    auto log = open_with_topic(folder);
    const int64_t producer = log->new_producer_id().value();
    const int64_t base = log->offsets("t", 0)->end;
    EXPECT_EQ(append(*log, "t", 0, batch_of({"a", "b"}, producer, 0, 0))->base_offset, base);
    EXPECT_EQ(append(*log, "t", 0, batch_of({"c"}, producer, 0, 2))->base_offset, base + 2);
    EXPECT_EQ(append(*log, "t", 0, batch_of({"a", "b"}, producer, 0, 0))->base_offset, base);
    EXPECT_EQ(append(*log, "t", 0, batch_of({"d"}, producer, 0, 4)).error().code, Code::conflict);
    EXPECT_EQ(append(*log, "t", 0, batch_of({"e"}, producer, 1, 0))->base_offset, base + 3);
    EXPECT_EQ(append(*log, "t", 0, batch_of({"d"}, producer, 0, 3)).error().code, Code::denied);
    EXPECT_EQ(log->offsets("t", 0)->end, base + 4);
  }
}

// The state is found again after a clean close, after a crash, and without snapshots, over several segments.
TEST(IdempotentProducer, IsKnownAfterReopening) {
  Folder folder;
  const LogOptions options{.segment_bytes = 400};
  auto log = open_with_topic(folder, options);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(*log, "t", 0, batch_of({"v"}, 5, 3, i)));
  ASSERT_TRUE(append(*log, "t", 0, batch_of({"once"}, 6, 0, 0)));
  for (int i = 20; i < 25; ++i) ASSERT_TRUE(append(*log, "t", 0, batch_of({"v"}, 5, 3, i)));
  const auto expect_known = [&](const Folder& in) {
    auto reopened = open_with_topic(in, options);
    EXPECT_EQ(append(*reopened, "t", 0, batch_of({"v"}, 5, 3, 24))->base_offset, 25);
    EXPECT_EQ(append(*reopened, "t", 0, batch_of({"v"}, 5, 3, 20))->base_offset, 21);
    EXPECT_EQ(append(*reopened, "t", 0, batch_of({"v"}, 5, 3, 26)).error().code, Code::conflict);
    EXPECT_EQ(append(*reopened, "t", 0, batch_of({"v"}, 5, 2, 25)).error().code, Code::denied);
    EXPECT_EQ(append(*reopened, "t", 0, batch_of({"once"}, 6, 0, 0))->base_offset, 20);
    EXPECT_EQ(reopened->offsets("t", 0)->end, 26);
  };
  Folder crashed;
  fs::copy(folder.path(), crashed.path(), fs::copy_options::recursive);
  expect_known(crashed);
  Folder without_snapshots;
  fs::copy(folder.path(), without_snapshots.path(), fs::copy_options::recursive);
  size_t snapshots = 0;
  for (const auto& entry : fs::directory_iterator(without_snapshots.partition("t", 0))) {
    if (entry.path().extension() == ".producers") snapshots += fs::remove(entry.path());
  }
  EXPECT_EQ(snapshots, 2u);
  expect_known(without_snapshots);
  log.reset();
  expect_known(folder);
}

}  // namespace
}  // namespace pinflow::log
