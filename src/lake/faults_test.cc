// Whatever call to the store fails, before its work or after it, and whoever works at the same time: each record is in
// its table once, or among the dead letters once.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "base/clock.h"
#include "lake/batch.h"
#include "lake/test_support.h"
#include "object/directory_store.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

// Two topics; of the readings one repeats, one is dead. Then, after a batch, a second load.
void put_first(object::Store& store) {
  put_object(store, "here.reading", 0, {reading(1), reading(2), reading(1), "dead 1"});
  put_object(store, "here.note", 0, {R"({"id":"a","words":"x"})"});
}
void put_second(object::Store& store) {
  put_object(store, "here.reading", 4, {reading(2), reading(3), "dead 2"});
  put_object(store, "here.note", 1, {R"({"id":"b","words":"refused"})", R"({"id":"c"})"});
}

std::string all(const pipeline::Pipeline& pipeline, object::Store& store) {
  return rows(pipeline, store, "SELECT sensor, value FROM readings ORDER BY ALL") +
         rows(pipeline, store, "SELECT id FROM notes ORDER BY ALL") +
         rows(pipeline, store, "SELECT \"table\", record FROM dead ORDER BY ALL");
}
const char* const kDropped =
    "1|1.5\n2|1.5\n3|1.5\na\nc\nnotes|{\"id\":\"b\",\"words\":\"refused\"}\nreadings|dead 1\nreadings|dead 2\n";
const char* const kKept =
    "1|1.5\n1|1.5\n2|1.5\n2|1.5\n3|1.5\na\nc\nnotes|{\"id\":\"b\",\"words\":\"refused\"}\nreadings|dead "
    "1\nreadings|dead 2\n";

class Faults : public ::testing::TestWithParam<bool> {
 protected:
  Faults() { pipeline_.repeats.batch_drop = GetParam(); }
  std::string expected() const { return GetParam() ? kDropped : kKept; }
  pipeline::Pipeline pipeline_ = sensors();
};
INSTANTIATE_TEST_SUITE_P(Repeats, Faults, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Dropped" : "Kept"; });

// Call n of the second batch fails for good, so that the run ends there, as if it were killed; then another run.
TEST_P(Faults, AnyCallThatFailsIsMadeGoodByTheNextRun) {
  BatchOptions options;
  options.answers = false;
  options.threads = 1;
  bool hit = true;
  for (int64_t n = 1; hit; ++n) {
    bool puts = true;  // what fails after its work matters only where the work changes the store
    for (const bool after_work : {false, true}) {
      if (after_work && !puts) break;
      object::MemoryStore store;
      put_first(store);
      batch(pipeline_, store);
      put_second(store);
      hit = false;
      const int64_t last = store.calls() + n;
      store.inject([&](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
        if (call.number < last) return std::nullopt;
        if (call.number == last) puts = call.operation.starts_with("put");
        hit = true;
        const bool done = after_work && call.number == last;
        return object::MemoryStore::Fault{{Code::denied, "the store is gone"}, done};
      });
      const auto stopped = run_batch(pipeline_, store, options);
      store.inject({});
      if (!hit) {
        EXPECT_TRUE(stopped);
        continue;
      }
      const auto report = run_batch(pipeline_, store, options);
      ASSERT_TRUE(report) << "call " << n << ": " << report.error().message;
      ASSERT_EQ(all(pipeline_, store), expected()) << "call " << n << (after_work ? " after its work" : "");
      for (const RecordReport& record : report->records) {
        EXPECT_EQ(record.raw, record.clean + record.duplicates + record.dead) << record.record;
        EXPECT_EQ(record.after - record.before, record.clean) << record.record;
      }
    }
  }
}

TEST_P(Faults, PassingFaultsAreHardlyNoticed) {
  object::MemoryStore store;
  put_first(store);
  put_second(store);
  store.inject([](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
    if (call.operation != "put_if_absent" || call.number % 2 == 0) return std::nullopt;
    return object::MemoryStore::Fault{{Code::unavailable, "busy"}, call.number % 3 == 0};
  });
  BatchOptions options;
  options.answers = false;
  std::optional<BatchReport> done;
  for (int tries = 0; tries < 20 && !done; ++tries) {
    auto report = run_batch(pipeline_, store, options);
    if (report) done = std::move(*report);
  }
  store.inject({});
  ASSERT_TRUE(done);
  EXPECT_EQ(all(pipeline_, store), expected());
}

TEST_P(Faults, BatchesAtOnceShareTheWork) {
  for (int round = 0; round < 5; ++round) {
    object::MemoryStore store;
    put_first(store);
    put_second(store);
    std::vector<std::optional<Error>> errors(3);
    {
      std::vector<std::jthread> workers;
      for (auto& error : errors) {
        workers.emplace_back([&] {
          BatchOptions options;
          options.answers = false;
          options.threads = 1;
          options.plan_bytes = 150;
          const auto report = run_batch(pipeline_, store, options);
          if (!report) error = report.error();
        });
      }
    }
    for (const auto& error : errors) EXPECT_FALSE(error) << error->message;
    EXPECT_EQ(all(pipeline_, store), expected());
  }
}

// A child process runs batches and is killed at a random moment; a last run finishes what it left.
TEST_P(Faults, KilledAtAnyMomentNothingIsLostOrDoubled) {
  const char* rounds_given = std::getenv("PINFLOW_KILLS");
  const int rounds = rounds_given != nullptr ? std::atoi(rounds_given) : 25;
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const auto root = std::filesystem::temp_directory_path() / fmt::format("pinflow-lake-kill-{}", ::getpid());
  int64_t whole_us = 0;  // what a child needs that nobody kills: the first
  for (int round = 0; round < rounds; ++round) {
    std::filesystem::remove_all(root);
    {
      const auto store = object::open_directory(root);
      put_first(**store);
      put_second(**store);
    }
    for (int kill = 0; kill < 3; ++kill) {
      const Stopwatch clock;
      const pid_t child = ::fork();
      if (child == 0) {
        BatchOptions options;
        options.answers = false;
        options.threads = 1;
        options.plan_bytes = 150;
        const auto store = object::open_directory(root);
        const auto report = run_batch(pipeline_, **store, options);
        ::_exit(report ? 0 : 1);
      }
      ASSERT_GT(child, 0);
      if (whole_us > 0) {
        ::usleep(static_cast<useconds_t>(random() % whole_us));
        ::kill(child, SIGKILL);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      if (whole_us == 0) whole_us = static_cast<int64_t>(clock.seconds() * 1e6);
    }
    const auto store = object::open_directory(root);
    batch(pipeline_, **store);
    ASSERT_EQ(all(pipeline_, **store), expected()) << "round " << round;
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace pinflow::lake
