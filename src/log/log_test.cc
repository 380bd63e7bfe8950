#include "log/log.h"

#include <gmock/gmock.h>

#include <thread>

#include "log/helpers_test.h"

namespace pinflow::log {
namespace {

using testing::ElementsAre;

Code code_of(const auto& result) { return result ? Code::cancelled : result.error().code; }

TEST(Log, GivesBackWhatWasAppended) {
  Folder folder;
  auto log = open_with_topic(folder);
  EXPECT_EQ(append_values(*log, {"a", "b"}), 0);
  EXPECT_EQ(append_values(*log, {"c"}), 2);
  const auto offsets = log->offsets("t", 0);
  ASSERT_TRUE(offsets);
  EXPECT_EQ(offsets->start, 0);
  EXPECT_EQ(offsets->end, 3);
  EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "a"}, Value{1, "b"}, Value{2, "c"}));
  log.reset();
  log = open_with_topic(folder);
  EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "a"}, Value{1, "b"}, Value{2, "c"}));
  EXPECT_EQ(append_values(*log, {"d"}), 3);
}

TEST(Log, WorksWithoutFsync) {
  Folder folder;
  auto log = open_with_topic(folder, {.fsync = false});
  EXPECT_EQ(append_values(*log, {"a"}), 0);
  log.reset();
  log = open_with_topic(folder);
  EXPECT_EQ(append_values(*log, {"b"}), 1);
  EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "a"}, Value{1, "b"}));
}

TEST(Log, ReadsWholeBatchesFromTheOneThatHoldsTheOffset) {
  Folder folder;
  auto log = open_with_topic(folder);
  const auto batch_bytes = static_cast<int64_t>(batch_of({"a", "b"}).size());
  for (int i = 0; i < 5; ++i) append_values(*log, {"a", "b"});
  auto in_the_middle = log->read("t", 0, 3, 1);
  ASSERT_TRUE(in_the_middle);
  EXPECT_EQ(read_batch_header(*in_the_middle)->base_offset, 2);
  EXPECT_EQ(static_cast<int64_t>(in_the_middle->size()), batch_bytes);
  for (const int64_t max : {int64_t{0}, batch_bytes, 2 * batch_bytes - 1}) {
    EXPECT_EQ(static_cast<int64_t>(log->read("t", 0, 0, max)->size()), batch_bytes) << max;
  }
  EXPECT_EQ(static_cast<int64_t>(log->read("t", 0, 0, 3 * batch_bytes + 70)->size()), 3 * batch_bytes);
  EXPECT_EQ(static_cast<int64_t>(log->read("t", 0, 4, 1 << 20)->size()), 3 * batch_bytes);
  EXPECT_EQ(*log->read("t", 0, 10, 1 << 20), "");
}

TEST(Log, ReadingOutOfRangeIsInvalid) {
  Folder folder;
  auto log = open_with_topic(folder);
  append_values(*log, {"a", "b", "c"});
  ASSERT_TRUE(log->delete_records("t", 0, 2));
  EXPECT_EQ(code_of(log->read("t", 0, 1, 100)), Code::invalid);
  EXPECT_EQ(code_of(log->read("t", 0, 4, 100)), Code::invalid);
  EXPECT_EQ(code_of(log->read("t", 0, -1, 100)), Code::invalid);
  EXPECT_EQ(code_of(log->read("t", 1, 0, 100)), Code::not_found);
  EXPECT_EQ(code_of(log->read("u", 0, 0, 100)), Code::not_found);
}

TEST(Log, FindsEveryOffsetInManySegmentsWithIndexes) {
  Folder folder;
  const LogOptions options{.segment_bytes = 100'000};
  auto log = open_with_topic(folder, options);
  const std::string padding(1000, 'x');
  std::vector<std::future<Result<Appended>>> appended;
  for (int i = 0; i < 500; ++i) {
    const std::vector<std::string> values{std::to_string(2 * i), std::to_string(2 * i + 1) + padding};
    appended.push_back(append_async(*log, "t", 0, batch_of(values)));
  }
  for (auto& one : appended) ASSERT_TRUE(one.get());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(read_values(*log).size(), 1000u);
    for (int64_t offset = 0; offset < 1000; ++offset) {
      const auto bytes = log->read("t", 0, offset, 1);
      ASSERT_TRUE(bytes) << bytes.error().message;
      const auto records = read_records(*bytes);
      ASSERT_TRUE(records);
      ASSERT_EQ(records->size(), 2u);
      EXPECT_EQ((*records)[static_cast<size_t>(offset % 2)].offset, offset);
      EXPECT_TRUE(records->at(static_cast<size_t>(offset % 2)).value->starts_with(std::to_string(offset)));
    }
    log.reset();
    log = open_with_topic(folder, options);
  }
  size_t segments = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.partition("t", 0))) {
    if (entry.path().extension() != ".log") continue;
    ++segments;
    EXPECT_LE(entry.file_size(), 100'000u);
  }
  EXPECT_GE(segments, 5u);
}

TEST(Log, KeepsFewFilesOpenHoweverManySegments) {
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  Folder folder;
  auto log = open_with_topic(folder, {.segment_bytes = 200});
  const auto before = open_files();
  std::vector<std::future<Result<Appended>>> appended;
  for (int i = 0; i < 200; ++i) appended.push_back(append_async(*log, "t", 0, batch_of({std::string(100, 'x')})));
  for (auto& one : appended) ASSERT_TRUE(one.get());
  for (int64_t offset = 0; offset < 200; ++offset) {
    const int64_t scattered = offset * 37 % 200;
    const auto bytes = log->read("t", 0, scattered, 1);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(read_batch_header(*bytes)->base_offset, scattered);
  }
  EXPECT_LE(open_files() - before, 64);
}

TEST(Log, ABatchLargerThanASegmentHasItsOwn) {
  Folder folder;
  auto log = open_with_topic(folder, {.segment_bytes = 1000});
  const std::string large(50'000, 'x');
  append_values(*log, {"a"});
  append_values(*log, {large});
  append_values(*log, {"b"});
  EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "a"}, Value{1, large}, Value{2, "b"}));
}

TEST(Log, WhatIsNotOneWholeBatchIsInvalid) {
  Folder folder;
  auto log = open_with_topic(folder, {.max_batch_bytes = 1000});
  const auto refused = [&](std::string batch) { return code_of(append(*log, "t", 0, std::move(batch))); };
  const std::string good = batch_of({"a", "b"});
  EXPECT_EQ(refused(""), Code::invalid);
  EXPECT_EQ(refused(good.substr(0, good.size() - 1)), Code::invalid);
  EXPECT_EQ(refused(good + good), Code::invalid);
  EXPECT_EQ(refused(batch_of({std::string(1000, 'x')})), Code::invalid);
  auto flipped = good;
  flipped.back() ^= 1;
  EXPECT_EQ(refused(flipped), Code::corrupt);
  auto old_format = good;
  old_format[16] = 1;
  EXPECT_EQ(refused(old_format), Code::invalid);
  for (const int32_t count : {0, 1, 3}) {
    auto miscounted = good;
    store_big(miscounted.data() + 57, count);
    store_big(miscounted.data() + 17, crc32c(std::string_view(miscounted).substr(21)));
    EXPECT_EQ(refused(miscounted), Code::invalid) << count;
  }
  EXPECT_EQ(code_of(append(*log, "t", 1, good)), Code::not_found);
  EXPECT_EQ(code_of(append(*log, "t", -1, good)), Code::not_found);
  EXPECT_EQ(code_of(append(*log, "u", 0, good)), Code::not_found);
  EXPECT_EQ(log->offsets("t", 0)->end, 0);
}

TEST(Log, TheAppendTimeIsNow) {
  Folder folder;
  auto log = open_with_topic(folder);
  const auto before = std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
  const auto appended = append(*log, "t", 0, batch_of({"a"}));
  const auto after = std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
  ASSERT_TRUE(appended);
  EXPECT_GE(appended->append_time_ms, before);
  EXPECT_LE(appended->append_time_ms, after);
}

TEST(Log, GrowthWakesThoseThatWait) {
  Folder folder;
  auto log = open_with_topic(folder);
  const uint64_t seen = log->growth();
  EXPECT_EQ(log->wait_for_growth(seen, std::chrono::milliseconds(1)), seen);
  std::thread appending([&] { append_values(*log, {"a"}); });
  EXPECT_GT(log->wait_for_growth(seen, std::chrono::minutes(1)), seen);
  EXPECT_EQ(log->offsets("t", 0)->end, 1);
  appending.join();
  EXPECT_GT(log->wait_for_growth(seen, std::chrono::minutes(1)), seen);  // grown already
}

TEST(Log, OneProcessOwnsTheFolder) {
  Folder folder;
  auto log = open_with_topic(folder);
  EXPECT_EQ(code_of(Log::open(folder.path(), {})), Code::conflict);
  log.reset();
  EXPECT_TRUE(Log::open(folder.path(), {}));
}

TEST(Log, ImpossibleOptionsAreInvalid) {
  Folder folder;
  EXPECT_EQ(code_of(Log::open(folder.path(), {.segment_bytes = 0})), Code::invalid);
  EXPECT_EQ(code_of(Log::open(folder.path(), {.segment_bytes = int64_t{1} << 40})), Code::invalid);
  EXPECT_EQ(code_of(Log::open(folder.path(), {.pending_bytes = 0})), Code::invalid);
  EXPECT_EQ(code_of(Log::open(folder.path(), {.max_batch_bytes = 0})), Code::invalid);
}

TEST(Log, HasAnIdentityForLife) {
  Folder folder;
  Folder other;
  auto log = open_with_topic(folder);
  const auto id = log->cluster_id();
  EXPECT_EQ(id.size(), 22u);
  log.reset();
  EXPECT_EQ(open_with_topic(folder)->cluster_id(), id);
  EXPECT_NE(open_with_topic(other)->cluster_id(), id);
}

TEST(Log, NeverGivesAProducerIdTwice) {
  Folder folder;
  std::vector<int64_t> ids;
  for (int round = 0; round < 3; ++round) {
    auto log = open_with_topic(folder);
    for (int i = 0; i < 1500; ++i) ids.push_back(log->new_producer_id().value());
  }
  for (size_t i = 1; i < ids.size(); ++i) ASSERT_LT(ids[i - 1], ids[i]);
}

TEST(Topics, AreMadeFoundAndListed) {
  Folder folder;
  const TopicConfig config{
      .retention_ms = 5000, .retention_bytes = 7, .segment_bytes = 1 << 20, .others = {{"x.y", "\"1\""}}};
  std::string id;
  {
    auto log = Log::open(folder.path(), {}).value();
    const auto made = log->create_topic("b.c_D-9", 3, config);
    ASSERT_TRUE(made);
    id = made->topic_id;
    EXPECT_EQ(id.size(), 16u);
    EXPECT_EQ(code_of(log->create_topic("b.c_D-9", 1, {})), Code::already_exists);
    ASSERT_TRUE(log->create_topic("a", 1, {}));
    ASSERT_TRUE(append(*log, "b.c_D-9", 2, batch_of({"v"})));
  }
  auto log = Log::open(folder.path(), {}).value();
  const auto topics = log->topics();
  ASSERT_EQ(topics.size(), 2u);
  EXPECT_EQ(topics[0].name, "a");
  const auto& topic = topics[1];
  EXPECT_EQ(topic.name, "b.c_D-9");
  EXPECT_EQ(topic.topic_id, id);
  EXPECT_EQ(topic.partitions, 3);
  EXPECT_EQ(topic.config.retention_ms, 5000);
  EXPECT_EQ(topic.config.retention_bytes, 7);
  EXPECT_EQ(topic.config.segment_bytes, 1 << 20);
  EXPECT_EQ(topic.config.others, config.others);
  EXPECT_EQ(log->offsets("b.c_D-9", 2)->end, 1);
  EXPECT_EQ(log->offsets("b.c_D-9", 0)->end, 0);
  EXPECT_FALSE(log->find_topic("c"));
}

TEST(Topics, NamesThatKafkaForbidsAreInvalid) {
  Folder folder;
  auto log = Log::open(folder.path(), {}).value();
  for (const std::string name : {"", ".", "..", "a b", "a/b", "../x", "é", "a:b", "~new-x"}) {
    EXPECT_EQ(code_of(log->create_topic(name, 1, {})), Code::invalid) << name;
  }
  EXPECT_EQ(code_of(log->create_topic(std::string(250, 'a'), 1, {})), Code::invalid);
  EXPECT_EQ(code_of(log->create_topic("t", 0, {})), Code::invalid);
  EXPECT_EQ(code_of(log->create_topic("t", 1, {.retention_ms = -2})), Code::invalid);
  EXPECT_EQ(code_of(log->create_topic("t", 1, {.segment_bytes = 0})), Code::invalid);
  EXPECT_TRUE(log->create_topic(std::string(249, 'a'), 1, {}));
  EXPECT_TRUE(log->create_topic("...", 1, {}));
}

TEST(Topics, ADeletedOneIsGoneAndItsNameFree) {
  Folder folder;
  auto log = open_with_topic(folder);
  const auto old = log->find_topic("t");
  append_values(*log, {"old"});
  ASSERT_TRUE(log->delete_topic("t"));
  EXPECT_EQ(code_of(log->delete_topic("t")), Code::not_found);
  EXPECT_EQ(code_of(log->offsets("t", 0)), Code::not_found);
  EXPECT_EQ(code_of(append(*log, "t", 0, batch_of({"x"}))), Code::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "topics"));
  const auto made = log->create_topic("t", 1, {});
  ASSERT_TRUE(made);
  EXPECT_NE(made->topic_id, old->topic_id);
  EXPECT_EQ(append_values(*log, {"new"}), 0);
  EXPECT_THAT(read_values(*log), ElementsAre(Value{0, "new"}));
}

TEST(Topics, WhatACrashLeftIsRemovedAtOpen) {
  Folder folder;
  open_with_topic(folder);
  std::filesystem::create_directories(folder.path() / "topics/~new-abc/0");
  std::filesystem::copy(folder.path() / "topics/t", folder.path() / "topics/~trash-abc",
                        std::filesystem::copy_options::recursive);
  std::filesystem::create_directories(folder.path() / "topics/t/1");  // of an add_partitions that did not end
  auto log = open_with_topic(folder);
  EXPECT_EQ(log->topics().size(), 1u);
  EXPECT_EQ(log->find_topic("t")->partitions, 1);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "topics/~new-abc"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "topics/~trash-abc"));
  ASSERT_TRUE(log->add_partitions("t", 2));
  EXPECT_TRUE(append(*log, "t", 1, batch_of({"x"})));
}

TEST(Topics, GetMorePartitionsAndOtherConfigs) {
  Folder folder;
  {
    auto log = open_with_topic(folder);
    append_values(*log, {"a"});
    EXPECT_EQ(code_of(log->add_partitions("u", 2)), Code::not_found);
    EXPECT_EQ(code_of(log->add_partitions("t", 1)), Code::invalid);
    ASSERT_TRUE(log->add_partitions("t", 3));
    EXPECT_EQ(append(*log, "t", 2, batch_of({"b"}))->base_offset, 0);
    EXPECT_EQ(append_values(*log, {"c"}), 1);
    EXPECT_EQ(code_of(log->alter_topic("u", {})), Code::not_found);
    EXPECT_EQ(code_of(log->alter_topic("t", {.retention_bytes = -5})), Code::invalid);
    ASSERT_TRUE(log->alter_topic("t", {.retention_ms = 99, .others = {{"k", "v"}}}));
  }
  auto log = open_with_topic(folder);
  const auto topic = log->find_topic("t");
  EXPECT_EQ(topic->partitions, 3);
  EXPECT_EQ(topic->config.retention_ms, 99);
  EXPECT_EQ(topic->config.others.at("k"), "v");
  EXPECT_EQ(log->offsets("t", 0)->end, 2);
  EXPECT_EQ(log->offsets("t", 2)->end, 1);
}

TEST(Topics, ABrokenDescriptionIsCorrupt) {
  for (const std::string_view text : {"", "{}", "{\"topic_id\":\"x\",\"partitions\":1,\"config\":{}}",
                                      "{\"topic_id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"partitions\":0,\"config\":{}}"}) {
    Folder folder;
    open_with_topic(folder);
    ASSERT_TRUE(replace_file(folder.path() / "topics/t/topic.json", text));
    const auto log = Log::open(folder.path(), {});
    ASSERT_FALSE(log) << text;
    EXPECT_EQ(log.error().code, Code::corrupt);
    EXPECT_NE(log.error().message.find("topic.json"), std::string::npos) << log.error().message;
  }
}

}  // namespace
}  // namespace pinflow::log
