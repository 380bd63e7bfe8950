#include "delta/upkeep.h"

#include <algorithm>

#include "base/clock.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "delta/checkpoint.h"
#include "delta/clean_log.h"
#include "delta/fold.h"
#include "delta/log_names.h"
#include "delta/log_reader.h"
#include "delta/properties.h"
#include "delta/table.h"
#include "delta/vacuum.h"

namespace pinflow::delta {
namespace {

constexpr int64_t kHourMs = 3'600'000;

// Whether it may be time for a checkpoint, without listing the log: two or three small requests. The size of the first
// commit after the checkpoint stands for all of them.
Result<bool> may_be_due(object::Store& store, const std::string& table) {
  const auto text = store.get(hint_name(table));
  if (!text && text.error().code != Code::not_found) return pass(text.error());
  const auto version = text ? parse_hint(*text) : std::nullopt;
  const int64_t last = version.value_or(-1);
  int64_t bytes = 0;
  if (version) {
    const auto checkpoint = store.stat(checkpoint_name(table, *version));
    if (!checkpoint && checkpoint.error().code != Code::not_found) return pass(checkpoint.error());
    if (checkpoint) bytes = checkpoint->size;
  }
  const auto first = store.stat(commit_name(table, last + 1));
  if (!first && first.error().code == Code::not_found) return !version;  // cleaned, or there is nothing: look closer
  if (!first) return pass(first.error());
  const int64_t commits = std::max(kLeastCommits, bytes / 2 / std::max<int64_t>(first->size, 1));
  const auto there = store.stat(commit_name(table, last + commits));
  if (!there && there.error().code != Code::not_found) return pass(there.error());
  return there.has_value();
}

// Writes one where it is due. Whether it did.
Result<bool> write_if_due(object::Store& store, const std::string& table) {
  const auto maybe = may_be_due(store, table);
  if (!maybe) return pass(maybe.error());
  if (!*maybe) return false;
  const auto listing = find_log(store, table, std::nullopt);
  if (!listing) return pass(listing.error());
  if (listing->commits.empty()) return false;
  const bool has = !listing->checkpoints.empty();
  const int64_t last = has ? listing->checkpoints.rbegin()->first : -1;
  const int64_t bytes = has ? listing->checkpoint_bytes.at(last) : 0;
  if (!checkpoint_due(listing->newest() - last, commit_bytes_after(*listing, last), bytes)) return false;
  const auto snapshot = read_snapshot(store, table);
  if (!snapshot) return pass(snapshot.error());
  if (auto written = write_checkpoint(store, table, *snapshot); !written) return pass(written.error());
  return true;
}

}  // namespace

bool UpkeepReport::nothing() const {
  return checkpoints == 0 && files_folded == 0 && log_entries_removed == 0 && files_removed == 0;
}

UpkeepReport& UpkeepReport::operator+=(const UpkeepReport& other) {
  checkpoints += other.checkpoints;
  files_folded += other.files_folded;
  files_made += other.files_made;
  bytes_folded += other.bytes_folded;
  log_entries_removed += other.log_entries_removed;
  files_removed += other.files_removed;
  bytes_removed += other.bytes_removed;
  more = other.more;
  return *this;
}

Upkeep::Upkeep(object::Store& store, std::string table, UpkeepOptions options)
    : store_(store), table_(std::move(table)), options_(options) {}

Result<UpkeepReport> Upkeep::step() {
  UpkeepReport report;
  const int64_t now = now_ms();
  if (now < next_look_ms_) return report;
  next_look_ms_ = now + options_.look_every_ms;
  const auto done = work(now, report);
  if (!done && done.error().code == Code::not_found && !store_.stat(commit_name(table_, 0)) &&
      !store_.stat(hint_name(table_)))
    return UpkeepReport{};  // there is no table
  if (!done) return pass(done.error(), "keeping up {}", table_);
  if (report.more) next_look_ms_ = now;
  return report;
}

Result<> Upkeep::work(int64_t now, UpkeepReport& report) {
  if (options_.checkpoint) {
    const auto written = write_if_due(store_, table_);
    if (!written) return pass(written.error(), "writing a checkpoint");
    if (*written) {
      report.checkpoints = 1;
      report.more = true;
      return {};
    }
  }
  const int64_t hour = now / kHourMs;
  if (options_.fold && folded_hour_ != hour) {
    if (auto done = fold_some(now, report); !done) return done;
    if (!report.more) folded_hour_ = hour;
    if (report.files_folded > 0) return {};
  }
  if ((options_.clean || options_.vacuum) && now >= next_clean_ms_) {
    if (auto done = remove_some(now, report); !done) return done;
    if (!report.more) next_clean_ms_ = now + options_.clean_every_ms;
  }
  return {};
}

Result<> Upkeep::fold_some(int64_t now, UpkeepReport& report) {
  const auto snapshot = read_snapshot(store_, table_);
  if (!snapshot) return pass(snapshot.error());
  FoldOptions options;
  options.before_ms = options_.fold_before_ms >= 0 ? options_.fold_before_ms : now / kHourMs * kHourMs;
  options.below_bytes = options_.fold_below_bytes;
  options.bytes = options_.fold_bytes;
  options.least_files = options_.fold_least_files;
  options.most_files = options_.fold_most_files;
  options.evenly = options_.fold_evenly;
  options.memory_bytes = options_.memory_bytes;
  const auto folded = fold(store_, table_, *snapshot, options);
  if (!folded) return pass(folded.error());
  report.files_folded = folded->files;
  report.files_made = folded->made;
  report.bytes_folded = folded->bytes;
  report.more = folded->more;
  return {};
}

Result<> Upkeep::remove_some(int64_t now, UpkeepReport& report) {
  const auto snapshot = read_snapshot(store_, table_);
  if (!snapshot) return pass(snapshot.error());
  if (auto writable = check_writable(snapshot->protocol, snapshot->metadata); !writable) return writable;
  if (options_.clean && log_cleanup_enabled(snapshot->metadata)) {
    const auto own = log_retention_ms(snapshot->metadata);
    if (!own) return pass(own.error());
    const auto cleaned = clean_log(store_, table_, options_.log_retention_ms.value_or(*own), now, options_.removals);
    if (!cleaned) return pass(cleaned.error());
    report.log_entries_removed = cleaned->removed;
    report.more = cleaned->more;
  }
  if (options_.vacuum) {
    const auto own = file_retention_ms(snapshot->metadata);
    if (!own) return pass(own.error());
    const auto vacuumed =
        vacuum(store_, table_, std::min(options_.file_retention_ms.value_or(*own), *own), now, options_.removals);
    if (!vacuumed) return pass(vacuumed.error());
    report.files_removed = vacuumed->files;
    report.bytes_removed = vacuumed->bytes;
    report.more = report.more || vacuumed->more;
  }
  return {};
}

Result<UpkeepReport> maintain(object::Store& store, const std::string& table, UpkeepOptions options) {
  options.look_every_ms = 0;
  Upkeep upkeep(store, table, options);
  UpkeepReport all;
  do {
    const auto report = upkeep.step();
    if (!report) return pass(report.error());
    all += *report;
  } while (all.more && !stop_requested());
  return all;
}

}  // namespace pinflow::delta
