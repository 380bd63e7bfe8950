#include "delta/writer.h"

#include <time.h>

#include <algorithm>

#include "base/clock.h"
#include "base/logging.h"
#include "delta/checkpoint.h"
#include "delta/commit.h"
#include "delta/log_names.h"
#include "delta/log_reader.h"
#include "delta/table.h"
#include "delta/uuid.h"

namespace pinflow::delta {
namespace {

// A writer that was stopped for longer looks whether the log still holds its version before it trusts an absent name:
// a clean-up may have removed what came after. Clean-ups leave alone what is younger (clean_log.h).
constexpr int64_t kTrustMs = 30'000;
// Appends that go on expecting others after a lost race.
constexpr int kExpectOthers = 16;

// Goes on while the machine sleeps.
int64_t boottime_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

TableWriter::TableWriter(object::Store& store, WriterOptions options) : store_(store), options_(std::move(options)) {}

Result<std::unique_ptr<TableWriter>> TableWriter::open(object::Store& store, WriterOptions options) {
  std::unique_ptr<TableWriter> writer(new TableWriter(store, std::move(options)));
  if (auto read = writer->read_from_start(); !read) return pass(read.error());
  if (auto fits = writer->fit(); !fits) return pass(fits.error());
  return writer;
}

int64_t TableWriter::txn_version() const {
  const auto txn = txns_.find(options_.app_id);
  return txn == txns_.end() ? -1 : txn->second.version;
}

Result<> TableWriter::read_from_start() {
  version_ = -1;
  timestamp_ms_ = 0;
  protocol_ = {};
  metadata_ = {};
  txns_.clear();
  seen_ms_ = boottime_ms();
  auto listing = find_log(store_, options_.table, std::nullopt);
  if (!listing) return pass(listing.error());
  if (listing->empty()) return {};
  for (bool whole = false;; whole = true) {
    auto read = replay(*listing);
    // The hint's part of the log would not do: an older checkpoint, or the commits from the first on, may.
    if (read || whole || read.error().code != Code::corrupt) return read;
    listing = list_log(store_, options_.table);
    if (!listing) return pass(listing.error());
  }
}

Result<> TableWriter::replay(const LogListing& listing) {
  const std::string& table = options_.table;
  for (auto at = listing.checkpoints.rbegin(); at != listing.checkpoints.rend(); ++at) {
    const auto actions = read_checkpoint(store_, at->second, true);
    if (!actions) {
      if (actions.error().code == Code::unsupported) return pass(actions.error());
      const std::string& message = actions.error().message;
      warn("delta: the checkpoint of {} at version {} cannot be read and is passed over: {}", table, at->first,
           message.substr(0, message.find('\n')));
      continue;
    }
    version_ = at->first - 1;
    take(at->first, *actions, listing.checkpoint_times.at(at->first));
    break;
  }
  const auto read =
      read_commits(store_, table, listing, version_ + 1, listing.newest(), [&](ReadCommit commit) -> Result<> {
        take(commit.version, commit.actions, commit.file_time_ms);
        return {};
      });
  if (!read) return read;
  if (protocol_.min_writer < 1 || metadata_.schema_json.empty())
    return corrupt("the log of {} holds no protocol or no metaData up to version {}", table, version_);
  return check_readable(protocol_, metadata_);
}

void TableWriter::take(int64_t version, const Actions& actions, int64_t file_time_ms) {
  version_ = version;
  timestamp_ms_ = std::max(timestamp_ms_, actions.timestamp_ms().value_or(file_time_ms));
  if (actions.protocol) protocol_ = *actions.protocol;
  if (actions.metadata) metadata_ = *actions.metadata;
  for (const Txn& txn : actions.txns) txns_[txn.app_id] = txn;
}

Result<> TableWriter::fit() {
  widened_.clear();
  if (version_ < 0) {
    auto metadata = new_metadata(options_.table, options_.columns);
    if (!metadata) return pass(metadata.error());
    return {};
  }
  auto widened = fit_columns(options_.table, protocol_, metadata_, options_.columns);
  if (!widened) return pass(widened.error());
  widened_ = std::move(*widened);
  return {};
}

// The entries after ours, one by one; how many.
Result<int> TableWriter::read_on() {
  if (version_ < 0) {
    if (auto read = read_from_start(); !read) return pass(read.error());
    return version_ < 0 ? 0 : 1;
  }
  for (int count = 0;; ++count) {
    const std::string name = commit_name(options_.table, version_ + 1);
    const auto bytes = store_.get(name);
    seen_ms_ = boottime_ms();
    if (!bytes && bytes.error().code == Code::not_found) return count;
    if (!bytes) return pass(bytes.error(), "reading {}", name);
    const auto actions = parse_actions(*bytes, name);
    if (!actions) return pass(actions.error());
    take(version_ + 1, *actions, 0);
  }
}

// Whether the log still holds our version, where so much time went by that it may have been cleaned.
Result<bool> TableWriter::still_there() {
  if (version_ < 0 || boottime_ms() - seen_ms_ < kTrustMs) return true;
  const auto commit = store_.stat(commit_name(options_.table, version_));
  if (!commit && commit.error().code == Code::not_found) return false;
  if (!commit) return pass(commit.error(), "looking at the log of {}", options_.table);
  seen_ms_ = boottime_ms();
  return true;
}

Result<> TableWriter::refresh() {
  const auto there = still_there();
  if (!there) return pass(there.error());
  if (!*there) {
    if (auto read = read_from_start(); !read) return read;
  } else if (auto read = read_on(); !read) {
    return pass(read.error());
  }
  return fit();
}

// Reads on after a lost race, or where others are expected. conflict where the rules are others now, or another writer
// of our application is at work.
Result<> TableWriter::catch_up(int64_t txn_wanted) {
  const bool was_there = version_ >= 0;
  const Protocol protocol = protocol_;
  const Metadata metadata = metadata_;
  const int64_t txn = txn_version();
  const auto there = still_there();
  if (!there) return pass(there.error());
  if (*there) {
    const auto read = read_on();
    if (!read) return pass(read.error());
    if (*read > 0) contended_ = kExpectOthers;
  } else if (auto read = read_from_start(); !read) {
    return read;
  }
  if (was_there && !(protocol == protocol_ && metadata == metadata_)) {
    return fail(Code::conflict, "the schema or protocol of {} was changed by its version {} or before: open it again",
                options_.table, version_);
  }
  if (!was_there) {
    if (auto fits = fit(); !fits) return fits;
  }
  if (txn_version() != txn && txn_version() < txn_wanted) {
    return fail(Code::conflict,
                "another writer of the application {} committed its {} to {} while {} was on its way: open it again",
                options_.app_id, txn_version(), options_.table, txn_wanted);
  }
  return {};
}

Result<> TableWriter::check(const Commit& commit) const {
  return check_files(options_.table, commit.files, options_.columns, {options_.app_id, commit.txn_version, {}},
                     commit.commit_info);
}

Result<Actions> TableWriter::actions_for(const Commit& commit, const std::string& id) const {
  const int64_t now = next_timestamp(timestamp_ms_);
  Actions actions;
  if (version_ < 0) {
    auto metadata = new_metadata(options_.table, options_.columns);
    if (!metadata) return pass(metadata.error());
    metadata->configuration = options_.properties;
    actions.protocol = Protocol{};
    actions.metadata = std::move(*metadata);
  } else if (!widened_.empty()) {
    actions.metadata = metadata_;
    actions.metadata->schema_json = widened_;
  }
  actions.txns = {{options_.app_id, commit.txn_version, now}};
  actions.added = commit.files;
  actions.commit_info = write_commit_info(append_info(commit.files, true, version_, commit.commit_info, id, now));
  return actions;
}

Result<Committed> TableWriter::append(const Commit& commit) {
  if (auto valid = check(commit); !valid) return pass(valid.error());
  const std::string id = new_uuid();
  const auto there = still_there();
  if (!there) return pass(there.error());
  bool expect_others = contended_ > 0 || !*there;
  for (int races = 0; races <= kMaxRaces; ++races) {
    if (expect_others) {
      let_others_pass(races, put_ms_);
      if (auto caught_up = catch_up(commit.txn_version); !caught_up) return pass(caught_up.error());
    }
    expect_others = true;
    if (txn_version() >= commit.txn_version) return Committed{Committed::Kind::already_done, version_, races};
    auto actions = actions_for(commit, id);
    if (!actions) return pass(actions.error());
    const std::string entry = write_actions(*actions);
    const std::string name = commit_name(options_.table, version_ + 1);
    const Stopwatch clock;
    const auto put = put_entry(store_, name, entry, id);
    if (!put) return pass(put.error());
    put_ms_ = 0.75 * put_ms_ + 0.25 * clock.seconds() * 1e3;
    if (*put == Put::others) {
      contended_ = kExpectOthers;
      continue;
    }
    const auto still = still_there();
    if (!still) return pass(still.error());
    if (!*still) {  // it was put into a part of the log that was cleaned away meanwhile: nobody reads it
      if (auto removed = store_.remove(name); !removed) return pass(removed.error(), "taking back {}", name);
      continue;
    }
    take(version_ + 1, *actions, 0);
    widened_.clear();
    seen_ms_ = boottime_ms();
    contended_ = std::max(0, contended_ - 1);
    return Committed{Committed::Kind::committed, version_, races};
  }
  return fail(Code::conflict, "{} was committed to by others {} times in a row: try again later", options_.table,
              kMaxRaces);
}

}  // namespace pinflow::delta
