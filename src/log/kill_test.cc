// kill -9 at a random moment while several threads append, then reopening: what was acknowledged is there, once, in
// order. PINFLOW_KILLS sets the number of rounds (50), PINFLOW_SEED the first seed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "log/helpers_test.h"

namespace pinflow::log {
namespace {

constexpr int kThreads = 3;
constexpr int kPartitions = 2;
const LogOptions kOptions{.segment_bytes = 20'000, .retention_check = std::chrono::milliseconds(5)};

// What the child says of each acknowledged record: small enough that write(2) to a pipe is atomic.
struct Acknowledged {
  int32_t partition;
  int32_t thread;
  int64_t number;  // of the record, by its thread
  int64_t offset;
};

int64_t number_from(const char* variable, int64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoll(text) : otherwise;
}

std::string value_of(int64_t round, int32_t thread, int64_t number) {
  return fmt::format("{}/{}/{} {}", round, thread, number, std::string(static_cast<size_t>(number % 700), 'x'));
}

// The child: appends until it is killed. Even threads are idempotent producers that send everything twice.
[[noreturn]] void append_for_ever(const Folder& folder, int64_t round, int pipe) {
  auto opened = Log::open(folder.path(), kOptions);
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.error().message);
    ::_exit(3);
  }
  Log& log = **opened;
  std::vector<std::thread> threads;
  for (int32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const int64_t producer = log.new_producer_id().value();
      std::mutex mutex;
      std::condition_variable changed;
      int in_flight = 0;
      for (int64_t n = 0;; ++n) {
        const int32_t partition = (t + static_cast<int32_t>(n % 2)) % kPartitions;
        const auto value = value_of(round, t, n);
        const bool idempotent = t % 2 == 0;
        for (int copy = 0; copy < (idempotent ? 2 : 1); ++copy) {
          auto batch = idempotent ? batch_of({value}, producer, 0, static_cast<int32_t>(n / 2)) : batch_of({value});
          {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return in_flight < 5; });
            ++in_flight;
          }
          log.append("t", partition, std::move(batch), [&, t, n, partition](Result<Appended> appended) {
            if (!appended) ::_exit(4);
            const Acknowledged told{partition, t, n, appended->base_offset};
            if (::write(pipe, &told, sizeof told) != sizeof told) ::_exit(5);
            const std::lock_guard lock(mutex);
            --in_flight;
            changed.notify_one();
          });
        }
      }
    });
  }
  for (;;) ::pause();
}

// Runs the child, kills it after `life` from its first acknowledgement (or from its start, so that opening is hit as
// well), and gives what it said.
std::vector<Acknowledged> run_and_kill(const Folder& folder, int64_t round, std::chrono::microseconds life,
                                       bool from_start) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    append_for_ever(folder, round, ends[1]);
  }
  ::close(ends[1]);
  std::vector<Acknowledged> all;
  std::thread killing;
  const auto kill_later = [&] {
    killing = std::thread([&] {
      std::this_thread::sleep_for(life);
      ::kill(child, SIGKILL);
    });
  };
  if (from_start) kill_later();
  Acknowledged one;
  while (::read(ends[0], &one, sizeof one) == sizeof one) {
    all.push_back(one);
    if (!killing.joinable()) kill_later();
  }
  if (killing.joinable()) killing.join();
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ends[0]);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
  return all;
}

TEST(Kill, LosesNothingAcknowledgedAndStoresNothingTwice) {
  const int64_t rounds = number_from("PINFLOW_KILLS", 50);
  const int64_t seed = number_from("PINFLOW_SEED", std::random_device()());
  fmt::print("kill test: {} rounds, PINFLOW_SEED={}\n", rounds, seed);
  Folder folder;
  ASSERT_TRUE(Log::open(folder.path(), kOptions).value()->create_topic("t", kPartitions, {}));
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  int64_t acknowledged = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    const auto said = run_and_kill(folder, round, std::chrono::microseconds(random() % 30'000), random() % 4 == 0);
    acknowledged += static_cast<int64_t>(said.size());
    auto log = Log::open(folder.path(), kOptions);
    ASSERT_TRUE(log) << log.error().message;
    for (int32_t p = 0; p < kPartitions; ++p) {
      const auto values = read_values(**log, "t", p);
      const int64_t start = (*log)->offsets("t", p)->start;
      std::map<std::string, int64_t> places;
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(values[i].offset, start + static_cast<int64_t>(i));
        ASSERT_TRUE(places.emplace(values[i].text, values[i].offset).second) << values[i].text << " is there twice";
      }
      for (const auto& one : said) {
        if (one.partition != p) continue;
        const auto found = places.find(value_of(round, one.thread, one.number));
        ASSERT_NE(found, places.end()) << "offset " << one.offset << " of round " << round << " is lost";
        ASSERT_EQ(found->second, one.offset);
      }
      // Records of earlier rounds were checked; the folder stays small.
      ASSERT_TRUE((*log)->delete_records("t", p, (*log)->offsets("t", p)->end));
    }
  }
  EXPECT_GT(acknowledged, rounds);
  fmt::print("kill test: {} records were acknowledged\n", acknowledged);
}

}  // namespace
}  // namespace pinflow::log
