#include "kafka/broker/offset_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/logging.h"

namespace pinflow::kafka {
namespace {

class OffsetStoreTest : public ::testing::Test {
 protected:
  OffsetStoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow-offsets-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    set_logging(Severity::error);
  }
  ~OffsetStoreTest() override {
    set_logging(Severity::info);
    std::filesystem::remove_all(folder_);
  }

  void open(OffsetStore::Options options = {}) {
    store_.reset();
    auto opened = OffsetStore::open(folder_, options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  std::filesystem::path file() const { return folder_ / "offsets.log"; }
  static CommittedOffset at(int64_t offset, std::string metadata = "") {
    CommittedOffset committed;
    committed.topic_id = Uuid::from("0123456789abcdef");
    committed.offset = offset;
    committed.metadata = std::move(metadata);
    return committed;
  }
  int64_t offset_of(const std::string& group, const std::string& topic, int32_t partition) {
    const auto found = store_->find(group);
    if (!found) return -1;
    const auto offset = found->offsets.find({topic, partition});
    return offset == found->offsets.end() ? -1 : offset->second.offset;
  }

  std::filesystem::path folder_;
  std::unique_ptr<OffsetStore> store_;
};

TEST_F(OffsetStoreTest, KeepsWhatWasCommittedAcrossAnOpen) {
  open();
  ASSERT_TRUE(store_->commit("g", "consumer", {{{"pin", 0}, at(5, "note")}, {{"pin", 1}, at(7)}}));
  ASSERT_TRUE(store_->commit("g", "consumer", {{{"pin", 0}, at(6, "later")}}));
  ASSERT_TRUE(store_->commit("h", "", {{{"geo", 3}, at(1)}}));
  for (int round = 0; round < 2; ++round) {
    const auto group = store_->find("g");
    ASSERT_TRUE(group);
    EXPECT_EQ(group->protocol_type, "consumer");
    EXPECT_EQ(group->offsets.size(), 2u);
    EXPECT_EQ(group->offsets.at({"pin", 0}).offset, 6);
    EXPECT_EQ(group->offsets.at({"pin", 0}).metadata, "later");
    EXPECT_EQ(group->offsets.at({"pin", 0}).topic_id, Uuid::from("0123456789abcdef"));
    EXPECT_EQ(offset_of("h", "geo", 3), 1);
    EXPECT_EQ(store_->groups().size(), 2u);
    EXPECT_EQ(store_->find("nobody"), std::nullopt);
    open();
  }
}

TEST_F(OffsetStoreTest, ForgetsGroupsOffsetsAndTopics) {
  open();
  ASSERT_TRUE(store_->commit("g", "", {{{"pin", 0}, at(1)}, {{"pin", 1}, at(2)}, {{"geo", 0}, at(3)}}));
  ASSERT_TRUE(store_->commit("h", "", {{{"pin", 0}, at(4)}}));
  ASSERT_TRUE(store_->commit("i", "", {{{"user", 0}, at(5)}}));
  ASSERT_TRUE(store_->forget_offsets("g", {{"pin", 1}}));
  ASSERT_TRUE(store_->forget_group("i"));
  ASSERT_TRUE(store_->forget_topic("pin"));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(offset_of("g", "geo", 0), 3);
    EXPECT_EQ(store_->find("g")->offsets.size(), 1u);
    EXPECT_EQ(store_->groups().size(), 1u) << "a group without offsets is none";
    open();
  }
}

TEST_F(OffsetStoreTest, CutsATornTailWhereverItIsTorn) {
  open();
  ASSERT_TRUE(store_->commit("g", "", {{{"pin", 0}, at(1)}}));
  const auto whole = std::filesystem::file_size(file());
  ASSERT_TRUE(store_->commit("g", "", {{{"pin", 0}, at(2)}}));
  store_.reset();
  const auto longer = std::filesystem::file_size(file());
  std::string bytes(longer, '\0');
  std::ifstream(file(), std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(longer));
  for (auto size = whole; size < longer; ++size) {
    std::ofstream(file(), std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(size));
    open();
    EXPECT_EQ(offset_of("g", "pin", 0), 1);
    ASSERT_TRUE(store_->commit("g", "", {{{"pin", 0}, at(3)}}));
    open();
    EXPECT_EQ(offset_of("g", "pin", 0), 3);
  }
  bytes.back() ^= 1;
  std::ofstream(file(), std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(longer));
  open();
  EXPECT_EQ(offset_of("g", "pin", 0), 1);
}

TEST_F(OffsetStoreTest, RefusesAFileThatIsDamagedBeforeItsEnd) {
  open();
  ASSERT_TRUE(store_->commit("g", "", {{{"pin", 0}, at(1)}}));
  ASSERT_TRUE(store_->commit("g", "", {{{"pin", 0}, at(2)}}));
  store_.reset();
  std::fstream stream(file(), std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(12).put('\x7f');
  stream.close();
  const auto opened = OffsetStore::open(folder_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
  EXPECT_NE(opened.error().message.find("offsets.log: the frame at byte 0"), std::string::npos);
}

TEST_F(OffsetStoreTest, RewritesAFileThatIsMostlyOutOfDate) {
  open({.compact_bytes = 1000});
  for (int i = 1; i <= 200; ++i) ASSERT_TRUE(store_->commit("g", "consumer", {{{"pin", 0}, at(i)}}));
  EXPECT_LT(std::filesystem::file_size(file()), 2000u);
  open({.compact_bytes = 1000});
  EXPECT_EQ(offset_of("g", "pin", 0), 200);
  EXPECT_EQ(store_->find("g")->protocol_type, "consumer");
}

TEST_F(OffsetStoreTest, TakesCommitsOfManyThreads) {
  open({.compact_bytes = 4000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 1; i <= 50; ++i) {
        const auto committed = store_->commit("g" + std::to_string(t % 3), "", {{{"pin", t}, at(i)}});
        if (!committed) ADD_FAILURE() << committed.error().message;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int round = 0; round < 2; ++round) {
    for (int t = 0; t < 8; ++t) EXPECT_EQ(offset_of("g" + std::to_string(t % 3), "pin", t), 50);
    open();
  }
}

}  // namespace
}  // namespace pinflow::kafka
