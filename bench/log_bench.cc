// The log alone, fsync on, beside the disk: appends of one 450-byte record from 1 to 4 threads, and of 1 MB batches,
// and the same sizes by write(2) and fdatasync(2). Bounded by --seconds for each line (1 by default).
//   log_bench [--dir DIR] [--seconds S] [--json]
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "log/batch.h"
#include "log/log.h"

namespace {

using namespace pinflow;
namespace fs = std::filesystem;

struct Line {
  std::string name;
  double seconds = 0;
  int64_t operations = 0;
  int64_t bytes = 0;
};

// One record, the batch `bytes` long within a few bytes.
std::string make_batch(size_t bytes) {
  log::BatchBuilder builder(1'700'000'000'000);
  builder.add(1'700'000'000'000, std::nullopt, std::string(bytes - log::kBatchHeaderBytes - 11, 'v'));
  return builder.finish();
}

// `threads` threads append to `partitions` partitions in turn, each with at most `in_flight` not yet acknowledged.
Line append(const fs::path& dir, std::string name, size_t batch_bytes, int threads, int partitions, int in_flight,
            double seconds) {
  fs::remove_all(dir);
  auto log = log::Log::open(dir, {}).value();
  log->create_topic("bench", partitions, {}).value();
  const std::string batch = make_batch(batch_bytes);
  std::atomic<int64_t> failed{0};
  std::atomic<int64_t> acknowledged{0};
  const Stopwatch watch;
  std::vector<std::thread> appending;
  for (int t = 0; t < threads; ++t) {
    appending.emplace_back([&, t] {
      std::counting_semaphore<> room(in_flight);
      for (int n = t; watch.seconds() < seconds; ++n) {
        room.acquire();
        log->append("bench", n % partitions, batch, [&](Result<log::Appended> appended) {
          (appended ? acknowledged : failed).fetch_add(1, std::memory_order_relaxed);
          room.release();
        });
      }
      for (int i = 0; i < in_flight; ++i) room.acquire();
    });
  }
  for (auto& thread : appending) thread.join();
  const double took = watch.seconds();
  if (failed > 0) fmt::print(stderr, "{}: {} appends failed\n", name, failed.load());
  log.reset();
  fs::remove_all(dir);
  return {std::move(name), took, acknowledged, acknowledged * static_cast<int64_t>(batch.size())};
}

Line raw(const fs::path& dir, std::string name, size_t bytes, double seconds) {
  fs::create_directories(dir);
  const fs::path path = dir / "raw";
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const std::string block(bytes, 'v');
  Line line{std::move(name), 0, 0, 0};
  const Stopwatch watch;
  while (watch.seconds() < seconds) {
    if (!write_all(fd.get(), block, "raw") || ::fdatasync(fd.get()) != 0) break;
    ++line.operations;
    line.bytes += static_cast<int64_t>(bytes);
  }
  line.seconds = watch.seconds();
  fs::remove_all(dir);
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  fs::path dir = fs::temp_directory_path() / fmt::format("log_bench-{}", ::getpid());
  double seconds = 1;
  bool as_json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--json") as_json = true;
    else if (flag == "--dir" && i + 1 < argc) dir = fs::path(argv[++i]) / fmt::format("log_bench-{}", ::getpid());
    else if (flag == "--seconds" && i + 1 < argc) seconds = std::stod(argv[++i]);
    else return fmt::print(stderr, "log_bench [--dir DIR] [--seconds S] [--json]\n"), 2;
  }
  constexpr size_t kSmall = 450;
  constexpr size_t kLarge = 1 << 20;
  std::vector<Line> lines;
  for (const size_t bytes : {kSmall, 100 * kSmall, kLarge, 8 * kLarge}) {
    lines.push_back(raw(dir, fmt::format("disk: write + fdatasync of {} bytes", bytes), bytes, seconds));
  }
  for (const int threads : {1, 2, 4}) {
    lines.push_back(append(dir, fmt::format("log: 450-byte batches, {} threads, 1 partition, 4096 in flight", threads),
                           kSmall, threads, 1, 4096 / threads, seconds));
  }
  lines.push_back(
      append(dir, "log: 450-byte batches, 2 threads, 3 partitions, 4096 in flight", kSmall, 2, 3, 2048, seconds));
  lines.push_back(append(dir, "log: 450-byte batches, 1 thread, 1 in flight", kSmall, 1, 1, 1, seconds));
  lines.push_back(append(dir, "log: 450-byte batches, 4 threads, 256 in flight", kSmall, 4, 1, 64, seconds));
  lines.push_back(append(dir, "log: 1 MiB batches, 1 thread, 8 in flight", kLarge, 1, 1, 8, seconds));
  lines.push_back(append(dir, "log: 1 MiB batches, 2 threads, 32 in flight", kLarge, 2, 1, 16, seconds));
  lines.push_back(append(dir, "log: 1 MiB batches, 2 threads, 3 partitions, 32 in flight", kLarge, 2, 3, 16, seconds));
  JsonWriter json;
  json.begin_array();
  for (const auto& line : lines) {
    const double rate = static_cast<double>(line.operations) / line.seconds;
    const double megabytes = static_cast<double>(line.bytes) / line.seconds / 1e6;
    json.begin_object().key("name").string(line.name).key("operations_per_second").number(rate);
    json.key("megabytes_per_second").number(megabytes).end_object();
    if (!as_json) fmt::print("{:<64} {:>10.0f}/s {:>9.1f} MB/s\n", line.name, rate, megabytes);
  }
  if (as_json) fmt::print("{}\n", json.end_array().text());
  return 0;
}
