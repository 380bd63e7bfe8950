#include "delta/log_reader.h"

#include <algorithm>

#include "base/files.h"
#include "delta/checkpoint.h"
#include "object/prefetch.h"

namespace pinflow::delta {
namespace {

// Commits that are fetched together: what is on this machine at once stays small.
constexpr int64_t kTogether = 1'000;

// The version that _last_checkpoint names. A hint that is missing, broken or unreadable is none.
std::optional<int64_t> read_hint(object::Store& store, const std::string& table) {
  const auto text = store.get(hint_name(table));
  return text ? parse_hint(*text) : std::nullopt;
}

bool has_checkpoint_up_to(const LogListing& listing, int64_t version) {
  return !listing.checkpoints.empty() && listing.checkpoints.begin()->first <= version;
}

}  // namespace

Result<LogListing> list_log(object::Store& store, const std::string& table, std::optional<int64_t> from) {
  const auto objects = store.list(log_folder(table), from ? before_version(table, *from) : std::string());
  if (!objects) return pass(objects.error(), "listing the log of {}", table);
  return sort_listing(table, *objects);
}

Result<LogListing> find_log(object::Store& store, const std::string& table, std::optional<int64_t> target) {
  const auto hint = read_hint(store, table);
  if (hint && (!target || *hint <= *target)) {
    auto listing = list_log(store, table, hint);
    if (!listing) return listing;
    if (has_checkpoint_up_to(*listing, target.value_or(listing->newest()))) return listing;
  }
  return list_log(store, table);
}

Result<> read_commits(object::Store& store, const std::string& table, const LogListing& listing, int64_t from,
                      int64_t to, const std::function<Result<>(ReadCommit)>& take) {
  const bool ahead = store.fetches_at_once() > 1 && to > from;
  while (from <= to) {
    const int64_t last = std::min(to, from + kTogether - 1);
    std::vector<object::Prefetch::Wanted> wanted;
    for (int64_t version = from; ahead && version <= last; ++version) {
      const auto listed = listing.commits.find(version);
      wanted.push_back({commit_name(table, version), listed == listing.commits.end() ? 0 : listed->second.size});
    }
    object::Prefetch prefetch(store, std::move(wanted));
    for (int64_t version = from; version <= last; ++version) {
      const std::string name = commit_name(table, version);
      Result<std::string> bytes;
      if (ahead) {
        const auto file = prefetch.take(static_cast<size_t>(version - from));
        if (file) bytes = read_file(file->path());
        else bytes = pass(file.error());
      } else {
        bytes = store.get(name);
      }
      if (!bytes && bytes.error().code == Code::not_found) {
        if (listing.has_v2_checkpoint)
          return unsupported("{} needs the Delta feature 'v2Checkpoint' to be read, which this program does not have",
                             table);
        return corrupt("the log of {} has a hole: version {} of {} is missing, and no checkpoint after it can be read",
                       table, version, to);
      }
      if (!bytes) return pass(bytes.error(), "reading {}", name);
      auto actions = parse_actions(*bytes, name);
      if (!actions) return pass(actions.error());
      const auto listed = listing.commits.find(version);
      auto taken = take({version, static_cast<int64_t>(bytes->size()),
                         listed == listing.commits.end() ? 0 : listed->second.modified_ms, std::move(*actions)});
      if (!taken) return taken;
    }
    from = last + 1;
  }
  return {};
}

int64_t commit_bytes_after(const LogListing& listing, int64_t version) {
  int64_t bytes = 0;
  for (auto commit = listing.commits.upper_bound(version); commit != listing.commits.end(); ++commit)
    bytes += commit->second.size;
  return bytes;
}

}  // namespace pinflow::delta
