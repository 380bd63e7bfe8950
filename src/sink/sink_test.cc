// The sink against librdkafka's mock cluster and a store in memory.
#include "sink/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "kafka/client/consumer.h"
#include "kafka/client/mock_cluster_test.h"
#include "kafka/client/writer.h"
#include "object/memory_store.h"
#include "sink/lake_reader.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using object::MemoryStore;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// What a scenario works with: a topic of two partitions and a lake of its own, in a cluster that all share.
class Scenario {
 public:
  Scenario(kafka::MockCluster& cluster, std::string topic) : shared(&cluster), topic_(std::move(topic)) {
    shared->create_topic(topic_, 2);
  }

  void produce(const std::vector<std::optional<std::string>>& values, int32_t partition = 0, std::string topic = {}) {
    auto writer = kafka::RdTopicWriter::open(shared->config(), {});
    ASSERT_TRUE(writer);
    std::vector<kafka::NewRecord> records;
    for (const auto& value : values) records.push_back({{}, value, {}, partition});
    std::promise<std::vector<kafka::Written>> answer;
    (*writer)->write(topic.empty() ? topic_ : topic, std::move(records),
                     [&](auto written) { answer.set_value(written); });
    for (const kafka::Written& one : answer.get_future().get())
      ASSERT_EQ(one.error, kafka::KafkaError::none) << one.message;
  }
  void produce_numbers(int64_t from, int64_t to, int32_t partition = 0) {
    std::vector<std::optional<std::string>> values;
    for (int64_t n = from; n < to; ++n) values.push_back(fmt::format("{{ \"n\": {} }}", n));
    produce(values, partition);
  }

  // A new group each time: the mock cluster lets a group wait for ten seconds when a member comes back.
  SinkOptions options() {
    return {.name = fmt::format("{}-{}", topic_, ++groups_), .topics = {topic_}, .rotation = {.flush_size = 100}};
  }
  std::unique_ptr<Sink> start(SinkOptions options) {
    auto sink = Sink::start(std::move(options), store_, shared->config());
    EXPECT_TRUE(sink) << sink.error().message;
    return std::move(*sink);
  }
  // Starts, catches up and stops.
  SinkCounts run(SinkOptions options) {
    auto sink = start(std::move(options));
    auto reached = sink->run_until_caught_up();
    EXPECT_TRUE(reached) << reached.error().message;
    auto stopped = sink->stop();
    EXPECT_TRUE(stopped) << stopped.error().message;
    return sink->counts();
  }

  // The lines of a partition's objects, in order; the objects must be one chain from offset 0.
  std::vector<std::string> lines(int32_t partition = 0, const std::string& topic = {}) {
    std::vector<std::string> found;
    const Names names({}, Kind::data, topic.empty() ? topic_ : topic, partition);
    const auto listed = store_.list(names.prefix()).value();
    for (const auto& info : listed) {
      EXPECT_EQ(names.first_offset(info.name), static_cast<int64_t>(found.size())) << info.name;
      const std::string bytes = store_.get(info.name).value();
      for (size_t at = 0, end = 0; (end = bytes.find('\n', at)) != std::string::npos; at = end + 1)
        found.push_back(bytes.substr(at, end - at));
    }
    return found;
  }
  void expect_numbers(int64_t count, int32_t partition = 0) {
    const auto found = lines(partition);
    ASSERT_EQ(found.size(), static_cast<size_t>(count));
    for (int64_t n = 0; n < count; ++n) ASSERT_EQ(found[static_cast<size_t>(n)], fmt::format("{{\"n\":{}}}", n));
  }
  size_t objects(std::string_view prefix = "topics/") { return store_.list(prefix).value().size(); }

  kafka::MockCluster* shared;
  std::string topic_;
  int groups_ = 0;
  MemoryStore store_;
};

struct WritesEachRecordOnceAndGoesOnWhereTheLakeEnds : Scenario {
  using Scenario::Scenario;
  void play() {
    produce_numbers(0, 250);
    produce_numbers(0, 30, 1);
    const SinkOptions first_options = options();
    const SinkCounts first = run(first_options);
    expect_numbers(250);
    expect_numbers(30, 1);
    EXPECT_EQ(objects(), 4u);
    EXPECT_EQ(first.taken, 280);
    EXPECT_EQ(first.in_objects, 280);
    EXPECT_EQ(first.objects, 4);
    EXPECT_EQ(first.skipped, 0);
    ASSERT_THAT(first.partitions, SizeIs(2));
    EXPECT_EQ(first.partitions[0].start, 0);
    EXPECT_EQ(first.partitions[0].done, 250);
    auto group = kafka::Consumer::open(shared->config(), {.group = "connect-" + first_options.name}).value();
    const auto committed = group->committed({{topic_, 0}, {topic_, 1}}).value();
    EXPECT_EQ(committed[0].offset, 250);
    EXPECT_EQ(committed[1].offset, 30);

    produce_numbers(250, 260);
    const SinkCounts second = run(options());
    expect_numbers(260);
    EXPECT_EQ(second.taken, 10);
    EXPECT_EQ(second.partitions[0].start, 250);
  }
};

struct BadRecordsGoToTheDeadLetters : Scenario {
  using Scenario::Scenario;
  void play() {
    produce({"{\"n\":0}", "{\"n\":1}", "not JSON", "{\"a\":1,\"a\":2}", std::nullopt, "{\"n\":5}", "\"\\ud800\"",
             "{\"n\":7}"});
    const SinkCounts counts = run(options());
    EXPECT_EQ(counts.taken, 8);
    EXPECT_EQ(counts.in_objects, 4);
    EXPECT_EQ(counts.dead, 4);
    EXPECT_EQ(store_.get("topics/" + topic_ + "/partition=0/" + topic_ + "+0+0000000005.json").value(), "{\"n\":5}\n");
    EXPECT_EQ(objects("dead/"), 1u);
    const std::string letters = store_.get("dead/" + topic_ + "/partition=0/" + topic_ + "+0+0000000002.json").value();
    EXPECT_THAT(
        letters,
        AllOf(HasSubstr("\"offset\":2,"), HasSubstr("\"reason\":\"not JSON\",\"value_base64\":\"bm90IEpTT04=\""),
              HasSubstr("\"reason\":\"duplicate key\""), HasSubstr("\"reason\":\"null value\",\"value_base64\":null"),
              HasSubstr("\"reason\":\"lone surrogate\"")));
    EXPECT_EQ(run(options()).taken, 0) << "the dead letters count as done";
  }
};

struct AFailingStoreIsTriedUntilItWorks : Scenario {
  using Scenario::Scenario;
  void play() {
    produce_numbers(0, 300);
    produce({"bad"});
    std::atomic<int> puts = 0;
    std::atomic<bool> listed = false;
    store_.inject([&](const MemoryStore::Call& call) -> std::optional<MemoryStore::Fault> {
      if (call.operation == "list" && !listed.exchange(true))
        return MemoryStore::Fault{{Code::unavailable, "no answer"}};
      if (call.operation != "put_if_absent" || ++puts % 3 == 0) return std::nullopt;
      return MemoryStore::Fault{{puts % 3 == 1 ? Code::full : Code::unavailable, "no answer"}, puts % 3 == 2};
    });
    const SinkCounts counts = run(options());
    store_.inject(nullptr);
    EXPECT_EQ(counts.taken, 301);
    EXPECT_EQ(counts.in_objects, 300);
    EXPECT_EQ(counts.dead, 1);
    EXPECT_EQ(counts.skipped, 0);
    expect_numbers(300);
    EXPECT_EQ(objects(), 3u);
  }
};

struct WhatCouldNotBeWrittenIsTakenAtTheNextStart : Scenario {
  using Scenario::Scenario;
  void play() {
    produce_numbers(0, 50);
    std::atomic<bool> full = false;
    store_.inject([&](const MemoryStore::Call& call) -> std::optional<MemoryStore::Fault> {
      if (!full || call.operation != "put_if_absent") return std::nullopt;
      return MemoryStore::Fault{{Code::full, "no room"}};
    });
    SinkOptions impatient = options();
    impatient.stop_limit = 50ms;
    impatient.rotation.flush_size = 7;
    {
      auto sink = start(impatient);
      ASSERT_TRUE(sink->run_until_caught_up());
      full = true;
      produce_numbers(50, 90);
      auto waiting = std::async(std::launch::async, [&] { return sink->run_until_caught_up(); });
      while (sink->counts().taken < 90) std::this_thread::sleep_for(5ms);
      auto stopped = sink->stop();
      ASSERT_FALSE(stopped);
      EXPECT_THAT(stopped.error().message, AllOf(HasSubstr("40 records were not written: "), HasSubstr("no room")));
      EXPECT_EQ(waiting.get().error().code, Code::cancelled);
      EXPECT_EQ(sink->stop().error().message, stopped.error().message);
    }
    full = false;
    expect_numbers(50);
    EXPECT_EQ(run(options()).taken, 40);
    expect_numbers(90);
  }
};

struct MemoryIsBoundedByPausing : Scenario {
  using Scenario::Scenario;
  void play() {
    const std::string title(10'000, 'x');
    std::vector<std::optional<std::string>> values;
    for (int n = 0; n < 400; ++n) values.push_back(fmt::format("{{\"n\":{},\"title\":\"{}\"}}", n, title));
    produce(values);
    std::atomic<bool> stuck = true;
    store_.inject([&](const MemoryStore::Call& call) -> std::optional<MemoryStore::Fault> {
      while (stuck && call.operation == "put_if_absent" && call.name.starts_with("topics/"))
        std::this_thread::sleep_for(1ms);
      return std::nullopt;
    });
    SinkOptions small = options();
    small.memory_bytes = 1 << 20;
    small.rotation.flush_size = 1000;
    auto sink = start(small);
    auto reached = std::async(std::launch::async, [&] { return sink->run_until_caught_up(); });
    while (sink->counts().taken == 0) std::this_thread::sleep_for(5ms);
    std::this_thread::sleep_for(200ms);
    EXPECT_LT(sink->counts().taken, 400) << "nothing is written, so not all of 4 MB may be taken";
    stuck = false;
    ASSERT_TRUE(reached.get());
    EXPECT_THAT(lines(), SizeIs(400));
    EXPECT_GT(objects(), 1u);
    ASSERT_TRUE(sink->stop());
  }
};

struct ClosesIdleFilesAndFlushesWhenTold : Scenario {
  using Scenario::Scenario;
  void play() {
    SinkOptions idle = options();
    idle.rotation.max_idle = 30ms;
    auto sink = start(idle);
    ASSERT_TRUE(sink->run_until_caught_up());
    produce_numbers(0, 3);
    while (objects() < 1) std::this_thread::sleep_for(5ms);
    expect_numbers(3);
    ASSERT_TRUE(sink->stop());
    auto lazy = start(options());
    ASSERT_TRUE(lazy->run_until_caught_up());
    produce_numbers(3, 5);
    while (lazy->counts().taken < 2) std::this_thread::sleep_for(5ms);
    lazy->flush();
    while (objects() < 2) std::this_thread::sleep_for(5ms);
    expect_numbers(5);
  }
};

struct TakesTopicsByPattern : Scenario {
  using Scenario::Scenario;
  void play() {
    shared->create_topic(topic_ + ".pin", 1);
    shared->create_topic(topic_ + ".geo", 1);
    shared->create_topic("x" + topic_ + ".geo", 1);
    produce({"1"}, 0, topic_ + ".pin");
    produce({"2"}, 0, topic_ + ".geo");
    produce({"3"}, 0, "x" + topic_ + ".geo");
    SinkOptions pattern{.name = topic_, .topics_regex = topic_ + "\\.(pin|geo)"};
    EXPECT_EQ(run(pattern).taken, 2);
    EXPECT_THAT(lines(0, topic_ + ".pin"), ElementsAre("1"));
    EXPECT_THAT(lines(0, topic_ + ".geo"), ElementsAre("2"));
  }
};

// A lake with five records, in which something is changed before the sink is started again.
struct ChangedLake : Scenario {
  using Scenario::Scenario;
  const std::string object = "topics/" + topic_ + "/partition=0/" + topic_ + "+0+0000000000.json";
  void expect_refusal(const std::string& name, const std::string& bytes, const std::string& words) {
    produce_numbers(0, 5);
    run(options());
    ASSERT_TRUE(store_.put(name, bytes));
    produce_numbers(5, 6);
    auto sink = start(options());
    auto reached = sink->run_until_caught_up();
    ASSERT_FALSE(reached);
    EXPECT_THAT(reached.error().message, HasSubstr(words));
    EXPECT_TRUE(sink->failure());
    EXPECT_EQ(sink->stop().error().message, reached.error().message);
    EXPECT_EQ(store_.get(name).value(), bytes);
  }
};
struct RefusesALakeWithAnotherRecord : ChangedLake {
  using ChangedLake::ChangedLake;
  void play() {
    expect_refusal(object, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":77}\n",
                   "the record at offset 4 is not the one that the lake holds");
  }
};
struct RefusesALakeAheadOfTheLog : ChangedLake {
  using ChangedLake::ChangedLake;
  void play() {
    expect_refusal(object, "1\n1\n1\n1\n1\n1\n1\n1\n",
                   "the lake holds records up to offset 7, but the log ends before offset 6");
  }
};
struct RefusesALakeOfAnotherCluster : ChangedLake {
  using ChangedLake::ChangedLake;
  void play() {
    expect_refusal(marker_name(topic_), "{\"cluster_id\":\"another\",\"topic_id\":\"\"}",
                   "the lake was written from the cluster another");
  }
};

template <class S>
std::jthread played(kafka::MockCluster& cluster, const char* name) {
  return std::jthread([&cluster, name] {
    SCOPED_TRACE(name);
    S(cluster, name).play();
  });
}

// All at once: the mock cluster lets each new group wait for three seconds. librdkafka starts its threads by
// thrd_create, which ThreadSanitizer does not see, and crashes on: what races is tested by writer_pool_test.cc.
#ifndef __SANITIZE_THREAD__
TEST(Sink, Scenarios) {
  kafka::MockCluster cluster;
  std::vector<std::jthread> threads;
  threads.push_back(
      played<WritesEachRecordOnceAndGoesOnWhereTheLakeEnds>(cluster, "WritesEachRecordOnceAndGoesOnWhereTheLakeEnds"));
  threads.push_back(played<BadRecordsGoToTheDeadLetters>(cluster, "BadRecordsGoToTheDeadLetters"));
  threads.push_back(played<AFailingStoreIsTriedUntilItWorks>(cluster, "AFailingStoreIsTriedUntilItWorks"));
  threads.push_back(
      played<WhatCouldNotBeWrittenIsTakenAtTheNextStart>(cluster, "WhatCouldNotBeWrittenIsTakenAtTheNextStart"));
  threads.push_back(played<MemoryIsBoundedByPausing>(cluster, "MemoryIsBoundedByPausing"));
  threads.push_back(played<ClosesIdleFilesAndFlushesWhenTold>(cluster, "ClosesIdleFilesAndFlushesWhenTold"));
  threads.push_back(played<TakesTopicsByPattern>(cluster, "TakesTopicsByPattern"));
  threads.push_back(played<RefusesALakeWithAnotherRecord>(cluster, "RefusesALakeWithAnotherRecord"));
  threads.push_back(played<RefusesALakeAheadOfTheLog>(cluster, "RefusesALakeAheadOfTheLog"));
  threads.push_back(played<RefusesALakeOfAnotherCluster>(cluster, "RefusesALakeOfAnotherCluster"));
}
#endif

TEST(Sink, RefusesOptionsThatMakeNoSense) {
  MemoryStore store;
  const kafka::ClientConfig config{"127.0.0.1:1", {}};
  for (const SinkOptions& wrong :
       {SinkOptions{}, SinkOptions{.topics = {"a"}, .topics_regex = "a"},
        SinkOptions{.topics = {"a"}, .rotation = {.flush_size = 0}}, SinkOptions{.topics = {".a"}}})
    EXPECT_FALSE(Sink::start(wrong, store, config));
}

}  // namespace
}  // namespace pinflow::sink
