#include "sink/planned_partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>

#include "object/memory_store.h"
#include "sink/plan_reader.h"
#include "sink/plan_writer.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using object::MemoryStore;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<object::ObjectInfo> listed(MemoryStore& store, std::string_view prefix) {
  return store.list(prefix).value();
}

// A log of one partition, and lives of a sink over it that end anywhere.
class PlansTest : public testing::Test {
 protected:
  struct Entry {
    std::optional<std::string> value;
    int64_t time_ms = 0;
  };

  void use(connect::Settings settings) {
    options_.shape = std::move(settings);
    auto made = connect::Encoding::make(options_.shape);
    ASSERT_TRUE(made) << made.error().message;
    encoding_.emplace(std::move(*made));
    fingerprint_ = options_.shape.fingerprint();
  }
  static connect::Settings by_field() {
    connect::Settings settings;
    settings.partitioning.by = connect::PartitionBy::fields;
    settings.partitioning.fields = {"c"};
    return settings;
  }
  void begin(int64_t start, std::optional<Plan> unfinished = {}) {
    partition_ = std::make_unique<PlannedPartition>(options_, fingerprint_, *encoding_, start, std::move(unfinished),
                                                    [this](File file) { given_.push_back(std::move(file)); });
  }
  void take(int64_t offset, const Now& now = {}) {
    const Entry& entry = log_[static_cast<size_t>(offset)];
    kafka::Message message{.topic = "t", .offset = offset, .timestamp_ms = entry.time_ms};
    if (entry.value) message.value = *entry.value;
    ASSERT_TRUE(partition_->take(message, now));
  }
  void add(std::optional<std::string> value, int64_t time_ms = 0) { log_.push_back({std::move(value), time_ms}); }
  PlanWriter writer(MemoryStore& store) {
    return {
        store, options_.layout, [this](connect::Lines& lines) { return encoding_->finish(std::move(lines)); }, {}, "t",
        0};
  }
  std::vector<std::string> closed() {
    std::vector<std::string> said;
    for (const File& file : given_)
      said.push_back(fmt::format("{}-{}:{} in {}", file.first, file.next, file.records, file.generation->files.size()));
    given_.clear();
    return said;
  }
  // The records in all objects, each as "folder value".
  static std::multiset<std::string> lake(MemoryStore& store) {
    std::multiset<std::string> found;
    for (const std::string_view prefix : {"topics/", "dead/"})
      for (const auto& info : listed(store, prefix)) {
        const std::string bytes = store.get(info.name).value();
        const std::string folder = info.name.substr(0, info.name.rfind('/'));
        for (size_t at = 0, end = 0; (end = bytes.find('\n', at)) != std::string::npos; at = end + 1)
          found.insert(folder + " " + bytes.substr(at, end - at));
      }
    return found;
  }

  SinkOptions options_;
  std::string fingerprint_;
  std::optional<connect::Encoding> encoding_;
  std::unique_ptr<PlannedPartition> partition_;
  std::deque<File> given_;
  std::vector<Entry> log_;
};

TEST_F(PlansTest, ClosesAllFoldersTogether) {
  options_.rotation.flush_size = 4;
  use(by_field());
  for (int n = 0; n < 10; ++n) add(fmt::format("{{\"c\":{},\"n\":{}}}", n % 3, n));
  begin(0);
  for (int64_t offset = 0; offset < 10; ++offset) take(offset);
  EXPECT_THAT(closed(), ElementsAre("0-4:4 in 3", "4-8:4 in 3"));
  EXPECT_EQ(partition_->given(), 8);
  EXPECT_EQ(partition_->open_records(), 2);
  EXPECT_GT(partition_->open_bytes(), 0);
  partition_->close_all(Cause::told);
  EXPECT_THAT(closed(), ElementsAre("8-10:2 in 2"));
  EXPECT_EQ(partition_->open_bytes(), 0);
}

TEST_F(PlansTest, MakingBytesThatFailsIsTriedAgainWithNothingLost) {
  use(by_field());
  for (int n = 0; n < 6; ++n) add(fmt::format("{{\"c\":{},\"n\":{}}}", n % 3, n));
  begin(0);
  for (int64_t offset = 0; offset < 6; ++offset) take(offset);
  partition_->close_all(Cause::told);
  MemoryStore store;
  int calls = 0;
  PlanWriter writer(
      store, options_.layout,
      [&](connect::Lines& lines) -> Result<std::vector<connect::Piece>> {
        if (++calls == 2) return fail(Code::full, "no space left");
        return encoding_->finish(std::move(lines));
      },
      {}, "t", 0);
  WriteCounts counts;
  EXPECT_EQ(writer.write(given_, counts).error().code, Code::full);
  EXPECT_TRUE(lake(store).empty());
  ASSERT_TRUE(writer.write(given_, counts));
  EXPECT_EQ(counts.in_objects, 6);
  EXPECT_EQ(counts.objects, 3);
  EXPECT_THAT(lake(store), ElementsAre("topics/t/c=0 {\"c\":0,\"n\":0}", "topics/t/c=0 {\"c\":0,\"n\":3}",
                                       "topics/t/c=1 {\"c\":1,\"n\":1}", "topics/t/c=1 {\"c\":1,\"n\":4}",
                                       "topics/t/c=2 {\"c\":2,\"n\":2}", "topics/t/c=2 {\"c\":2,\"n\":5}"));
}

// A topic whose writer takes at most so many records of a call, and none at first.
class ShortOfRoom : public kafka::TopicWriter {
 public:
  void write(std::string topic, std::vector<kafka::NewRecord> records, Done done) override {
    EXPECT_EQ(topic, "dlq");
    std::vector<kafka::Written> written(records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      if (calls_ > 0 && i % 3 != 1) taken.push_back(*records[i].value);
      else written[i] = {.error = kafka::KafkaError::throttling_quota_exceeded, .message = "full"};
    }
    ++calls_;
    done(std::move(written));
  }
  std::expected<std::vector<std::string>, kafka::TopicFailure> list_topics() override { return {}; }
  std::expected<kafka::TopicInfo, kafka::TopicFailure> describe_topic(const std::string&) override { return {}; }

  std::vector<std::string> taken;

 private:
  int calls_ = 0;
};

TEST_F(PlansTest, DeadLettersThatWereWrittenAreNotSentAgain) {
  options_.dead_letter_topic = "dlq";
  options_.rotation.flush_size = 100'000;
  use(by_field());
  std::multiset<std::string> all;
  for (int n = 0; n < 12'000; ++n) {  // several writes
    add(fmt::format("no {}", n));
    all.insert(fmt::format("no {}", n));
  }
  begin(0);
  for (int64_t offset = 0; offset < 12'000; ++offset) take(offset);
  partition_->close_all(Cause::told);
  MemoryStore store;
  ShortOfRoom topic;
  PlanWriter writer(
      store, options_.layout, [this](connect::Lines& lines) { return encoding_->finish(std::move(lines)); },
      {&topic, "dlq"}, "t", 0);
  WriteCounts counts;
  int tries = 0;
  for (Result<> result = unavailable(""); !result; result = writer.write(given_, counts)) {
    EXPECT_EQ(result.error().code, Code::unavailable);
    ASSERT_LT(++tries, 100);
  }
  EXPECT_GT(tries, 3);
  EXPECT_EQ(std::multiset<std::string>(topic.taken.begin(), topic.taken.end()), all);
  EXPECT_EQ(counts.dead, 12'000);
}

// A topic that takes records without headers only.
class NoHeaders : public ShortOfRoom {
 public:
  void write(std::string, std::vector<kafka::NewRecord> records, Done done) override {
    std::vector<kafka::Written> written(records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      if (records[i].headers.empty()) taken.push_back(*records[i].value);
      else written[i] = {.error = kafka::KafkaError::message_too_large, .message = "too long"};
    }
    done(std::move(written));
  }
};

TEST_F(PlansTest, DeadLettersThatTheirHeadersMakeTooLongGoWithoutThem) {
  options_.dead_letter_topic = "dlq";
  use(by_field());
  add("no");
  add("{\"c\":1}");
  begin(0);
  for (int64_t offset = 0; offset < 2; ++offset) take(offset);
  partition_->close_all(Cause::told);
  MemoryStore store;
  NoHeaders topic;
  PlanWriter writer(
      store, options_.layout, [this](connect::Lines& lines) { return encoding_->finish(std::move(lines)); },
      {&topic, "dlq"}, "t", 0);
  WriteCounts counts;
  ASSERT_TRUE(writer.write(given_, counts));
  EXPECT_THAT(topic.taken, ElementsAre("no"));
}

TEST_F(PlansTest, ClosesByTheTimeOfTheRecords) {
  connect::Settings settings = by_field();
  options_.rotation.record_interval = 100ms;
  options_.rotate_on_change = false;
  use(settings);
  for (const int64_t time : {0, 50, 99, 100, 150, 40, 200}) add("{\"c\":1}", time);
  begin(0);
  for (int64_t offset = 0; offset < 7; ++offset) take(offset);
  EXPECT_THAT(closed(), ElementsAre("0-3:3 in 1", "3-6:3 in 1"));
}

TEST_F(PlansTest, ClosesWhenTheFolderChanges) {
  options_.rotation.record_interval = 1h;
  use(by_field());
  for (const int folder : {1, 1, 2, 2, 1}) add(fmt::format("{{\"c\":{}}}", folder));
  begin(0);
  for (int64_t offset = 0; offset < 5; ++offset) take(offset);
  EXPECT_THAT(closed(), ElementsAre("0-2:2 in 1", "2-4:2 in 1"));
}

TEST_F(PlansTest, ClosesWhenTooManyFilesAreOpen) {
  options_.max_open_files = 2;
  use(by_field());
  for (const int folder : {1, 2, 1, 3, 4}) add(fmt::format("{{\"c\":{}}}", folder));
  begin(0);
  for (int64_t offset = 0; offset < 5; ++offset) take(offset);
  EXPECT_THAT(closed(), ElementsAre("0-3:3 in 2"));
}

TEST_F(PlansTest, ClosesByTheClocks) {
  options_.rotation.max_age = 100ms;
  options_.rotation.max_idle = 30ms;
  options_.rotation.schedule_interval = 60s;
  use(by_field());
  for (int n = 0; n < 8; ++n) add("{\"c\":1}");
  begin(0);
  take(0, {0, 0});
  partition_->close_due({29, 0});
  EXPECT_THAT(closed(), IsEmpty());
  partition_->close_due({30, 0});
  EXPECT_THAT(closed(), ElementsAre("0-1:1 in 1")) << "idle";
  for (int64_t offset = 1; offset < 5; ++offset) take(offset, {offset * 25 + 100, 0});
  partition_->close_due({225, 0});
  EXPECT_THAT(closed(), ElementsAre("1-5:4 in 1")) << "age";
  take(5, {300, 59'990});
  partition_->close_due({301, 59'999});
  EXPECT_THAT(closed(), IsEmpty());
  partition_->close_due({301, 60'000});
  EXPECT_THAT(closed(), ElementsAre("5-6:1 in 1")) << "schedule";
}

TEST_F(PlansTest, AHourOfTheClockEndsAGeneration) {
  connect::Settings settings;
  settings.partitioning = {.by = connect::PartitionBy::time,
                           .fields = {},
                           .time_from = connect::TimeFrom::wall_clock,
                           .duration_ms = 3'600'000,
                           .path_format = "'hour'=HH"};
  use(settings);
  for (int n = 0; n < 4; ++n) add("1");
  begin(0);
  take(0, {0, 3'599'998});
  take(1, {0, 3'599'999});
  take(2, {0, 3'600'000});
  EXPECT_THAT(closed(), ElementsAre("0-2:2 in 1"));
  partition_->close_due({0, 7'200'000});
  EXPECT_THAT(closed(), ElementsAre("2-3:1 in 1"));
}

TEST_F(PlansTest, StopsAtABadRecordWhereItIsToldTo) {
  options_.stop_at_bad_record = true;
  use(by_field());
  add("no JSON");
  begin(0);
  kafka::Message message{.topic = "t", .offset = 0, .value = "no JSON"};
  const auto taken = partition_->take(message, {});
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("t/0: the record at offset 0 cannot be written (not JSON)"));
  EXPECT_EQ(partition_->position(), 0);
}

TEST_F(PlansTest, FollowsAPlanToItsEndAndNoFurther) {
  options_.rotation.flush_size = 2;
  use(by_field());
  for (int n = 0; n < 8; ++n) add("{\"c\":1}");
  const Plan plan{.first = 1, .next = 6, .wallclock_ms = 0, .settings = {}, .dead = 0, .objects = {}};
  begin(1, plan);
  for (int64_t offset = 1; offset < 5; ++offset) take(offset);
  partition_->close_all(Cause::told);
  partition_->close_due({1 << 30, 1 << 30});
  EXPECT_THAT(closed(), IsEmpty());
  EXPECT_EQ(partition_->given(), 1);
  take(5);
  EXPECT_THAT(closed(), ElementsAre("1-6:5 in 1"));
  take(6);
  take(7);
  EXPECT_THAT(closed(), ElementsAre("6-8:2 in 1"));
  begin(1, plan);
  take(1);
  partition_->reach(6);  // the log's later records are gone, or it ends there
  EXPECT_THAT(closed(), ElementsAre("1-6:1 in 1"));
}

TEST_F(PlansTest, AnotherSinksPlanWins) {
  options_.rotation.flush_size = 2;
  use(by_field());
  for (int n = 0; n < 4; ++n) add(fmt::format("{{\"c\":{}}}", n));
  MemoryStore store;
  begin(0);
  for (int64_t offset = 0; offset < 3; ++offset) take(offset);
  std::deque<File> slow = std::exchange(given_, {});
  options_.rotation.flush_size = 3;
  begin(0);
  for (int64_t offset = 0; offset < 3; ++offset) take(offset);
  WriteCounts counts;
  ASSERT_TRUE(writer(store).write(given_, counts));
  PlanWriter loser = writer(store);
  ASSERT_FALSE(loser.write(slow, counts));
  EXPECT_TRUE(loser.is_overtaken());
  EXPECT_EQ(lake(store).size(), 3u);
  EXPECT_EQ(counts.in_objects, 3);
}

TEST_F(PlansTest, RefusesAnObjectOfOtherBytesAndAPlanThatCannotBeRepeated) {
  use(by_field());
  add("{\"c\":1}");
  MemoryStore store;
  ASSERT_TRUE(store.put("topics/t/c=1/t+0+0000000000.json", "{\"c\":1,\"other\":2}\n"));
  begin(0);
  take(0);
  partition_->close_all(Cause::told);
  WriteCounts counts;
  auto written = writer(store).write(given_, counts);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::conflict);
  EXPECT_THAT(written.error().message, HasSubstr("has 18 bytes, and not the 8"));
  log_[0].value = "{\"c\":7}";
  given_.clear();
  begin(0, last_plan(store, "t", 0, 0).value());
  take(0);
  written = writer(store).write(given_, counts);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("cannot be made again from the log's offsets 0 to 0"));
}

// Lives of sinks with settings of closing of their own, each ended by a fault at a random call of the store (with or
// without the call's work done), and each begun as Starter::begin_plans does; now and then an old one wakes up.
TEST_F(PlansTest, EachRecordOnceWhateverDiesWhenever) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint32_t>(n)); };
    connect::Settings settings = by_field();
    if (seed % 4 == 1) settings.compression = connect::Compression::gzip;
    if (seed % 4 == 2) settings.keys = connect::Format::json;
    if (seed % 4 == 3)
      settings.partitioning = {.by = connect::PartitionBy::time,
                               .fields = {},
                               .time_from = connect::TimeFrom::wall_clock,
                               .duration_ms = 1000,
                               .path_format = "'s'=ss"};
    options_ = {};
    use(settings);
    log_.clear();
    for (int n = 0; n < 60; ++n) {
      if (below(9) == 0) add("bad " + std::to_string(n));
      else add(fmt::format("{{\"c\":{},\"n\":{}}}", below(4), n));
    }
    MemoryStore store;
    std::optional<std::pair<std::unique_ptr<PlanWriter>, std::deque<File>>> sleeper;
    int64_t wall = 0;
    int lives = 0;
    for (bool done = false; !done; ++lives) {
      ASSERT_LT(lives, 500);
      store.inject(nullptr);
      auto last = last_plan(store, "t", 0, 0).value();
      int64_t start = last ? last->next : 0;
      std::optional<Plan> unfinished;
      if (last && !is_finished(store, *last, false).value()) unfinished = last, start = last->first;
      options_.rotation.flush_size = 1 + below(20);
      begin(start, unfinished);
      const bool ends = lives < 3 || below(4) != 0;
      int64_t left = ends ? below(12) : 1 << 30;
      store.inject([&, left](const MemoryStore::Call&) mutable -> std::optional<MemoryStore::Fault> {
        if (--left >= 0) return std::nullopt;
        return MemoryStore::Fault{{Code::unavailable, "killed"}, below(2) == 0};
      });
      auto writing = std::make_unique<PlanWriter>(writer(store));
      WriteCounts counts;
      bool dead = false;
      for (int64_t offset = start; offset < 60 && !dead; ++offset) {
        wall += below(400);
        take(offset, {0, wall});
        if (below(10) == 0) partition_->close_all(Cause::memory);
        if (!given_.empty() && below(2) == 0) dead = !writing->write(given_, counts);
      }
      if (!dead) partition_->close_all(Cause::told), dead = !writing->write(given_, counts);
      done = !dead && partition_->given() == 60;
      if (sleeper && below(2) == 0) {  // and goes on where it was
        store.inject(nullptr);
        (void)sleeper->first->write(sleeper->second, counts);
        sleeper.reset();
        done = false;
      }
      if (!given_.empty() && !sleeper) sleeper.emplace(std::move(writing), std::move(given_));
      given_.clear();
    }
    store.inject(nullptr);
    if (settings.compression == connect::Compression::none) {
      std::set<int64_t> numbers;
      for (const auto& info : listed(store, "topics/")) {
        if (info.name.contains(".keys.")) continue;
        const std::string bytes = store.get(info.name).value();
        for (size_t at = 0, end = 0; (end = bytes.find('\n', at)) != std::string::npos; at = end + 1) {
          const std::string line = bytes.substr(at, end - at);
          ASSERT_TRUE(numbers.insert(std::stoll(line.substr(line.find("\"n\":") + 4))).second) << line;
        }
      }
      for (const auto& info : listed(store, "dead/")) {
        const std::string bytes = store.get(info.name).value();
        for (size_t at = 0, end = 0; (end = bytes.find('\n', at)) != std::string::npos; at = end + 1) {
          const std::string line = bytes.substr(at, end - at);
          ASSERT_TRUE(numbers.insert(std::stoll(line.substr(line.find("\"offset\":") + 9))).second) << line;
        }
      }
      EXPECT_EQ(numbers.size(), 60u);
    } else {
      // The plans say how many records each object has, and tile the log.
      int64_t at = 0, records = 0;
      std::set<std::string> named;
      for (const auto& info : listed(store, plan_prefix("t", 0))) {
        const Plan plan = parse_plan(store.get(info.name).value()).value();
        EXPECT_EQ(plan.first, at);
        at = plan.next;
        for (const auto& object : plan.objects) {
          EXPECT_TRUE(named.insert(object.name).second);
          records += object.records;
        }
      }
      EXPECT_EQ(at, 60);
      EXPECT_EQ(records, 60);
      EXPECT_EQ(store.list("topics/").value().size() + store.list("dead/").value().size(), named.size());
    }
  }
}

}  // namespace
}  // namespace pinflow::sink
