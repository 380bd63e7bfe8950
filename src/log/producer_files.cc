#include "log/producer_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/files.h"
#include "base/logging.h"
#include "log/segment.h"

namespace pinflow::log {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSuffix = ".producers";
constexpr size_t kKeptSnapshots = 2;

// Their offsets, the newest first.
std::vector<int64_t> list_snapshots(const fs::path& folder) {
  std::vector<int64_t> offsets;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (const auto offset = offset_of_name(at->path().filename().string(), kSuffix)) offsets.push_back(*offset);
  }
  std::ranges::sort(offsets, std::greater());
  return offsets;
}

std::optional<ProducerState> read_snapshot(const fs::path& path, int64_t offset, int64_t end) {
  const auto file = read_file(path);
  if (!file || offset > end) return std::nullopt;
  auto state = ProducerState::decode(*file, offset);
  if (!state) return std::nullopt;
  return std::move(*state);
}

}  // namespace

Result<ProducerState> load_producers(PartitionFiles& files, int64_t now_ms) {
  ProducerState state;
  int64_t from = 0;
  for (const int64_t offset : list_snapshots(files.folder())) {
    const fs::path path = segment_file(files.folder(), offset, kSuffix);
    if (auto decoded = read_snapshot(path, offset, files.end())) {
      state = std::move(*decoded);
      from = offset;
      break;
    }
    info("log: {} is not a good snapshot of producers: reading the batches instead", path.string());
    ::unlink(path.c_str());
  }
  const auto replayed = files.replay(from, [&](const BatchHeader& batch) {
    if (batch.producer_id >= 0) state.add(batch, now_ms);
  });
  if (!replayed) return pass(replayed.error());
  state.forget_unused(now_ms);
  return state;
}

Result<> save_producers(const fs::path& folder, const ProducerState& state, int64_t end_offset) {
  const fs::path path = segment_file(folder, end_offset, kSuffix);
  const fs::path temporary = fs::path(path).concat(".tmp");
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return system_error(errno, "create " + temporary.string());
  if (auto written = write_all(fd.get(), state.encode(end_offset), temporary.string()); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(errno, "rename to " + path.string());
  const auto offsets = list_snapshots(folder);
  for (size_t i = kKeptSnapshots; i < offsets.size(); ++i) {
    ::unlink(segment_file(folder, offsets[i], kSuffix).c_str());
  }
  return {};
}

}  // namespace pinflow::log
