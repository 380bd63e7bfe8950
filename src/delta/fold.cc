#include "delta/fold.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "base/clock.h"
#include "base/logging.h"
#include "delta/commit.h"
#include "delta/data_file.h"
#include "delta/log_names.h"
#include "delta/scan.h"
#include "delta/table.h"
#include "delta/uuid.h"
#include "object/prefetch.h"
#include "sql/duckdb.h"

namespace pinflow::delta {
namespace {

// The rows of the files as one local Parquet file.
Result<> write_rows(object::Store& store, const std::string& table, const std::vector<Column>& columns,
                    const std::vector<DataFile>& files, const FoldOptions& options, const std::filesystem::path& to) {
  std::vector<object::Prefetch::Wanted> wanted;
  for (const DataFile& file : files) wanted.push_back({table + "/" + file.path, file.size});
  const auto local = object::fetch_all(store, std::move(wanted));
  if (!local) return pass(local.error());
  std::vector<std::filesystem::path> paths;
  for (const object::LocalFile& file : *local) paths.push_back(file.path());
  const auto groups = group_files(columns, files, paths);
  if (!groups) return pass(groups.error());
  auto database = sql::Database::open({.memory_bytes = options.memory_bytes, .threads = 1, .spill = {}});
  if (!database) return pass(database.error());
  auto connection = (*database)->connect();
  if (!connection) return pass(connection.error());
  std::string list;
  for (const Column& column : columns) {
    list += fmt::format("{0}CAST({1} AS {2}) AS {1}", list.empty() ? "" : ", ", sql::quote_name(column.name),
                        sql_type(column.type));
  }
  const auto rows = connection->value(fmt::format("COPY (SELECT {} FROM {}) TO {} (FORMAT parquet)", list,
                                                  scan_sql(columns, *groups), sql::quote_text(to.string())));
  if (!rows) return pass(rows.error());
  int64_t expected = 0;
  for (const DataFile& file : files) expected = file.records < 0 || expected < 0 ? -1 : expected + file.records;
  if (expected >= 0 && rows->integer() != expected) {
    return corrupt("{} files have {} rows, and {} by their commits", files.size(), rows->integer(), expected);
  }
  return {};
}

Actions actions_of(const std::vector<DataFile>& files, DataFile made, const Snapshot& now, const std::string& id) {
  const int64_t time = next_timestamp(now.timestamp_ms);
  Actions actions;
  int64_t bytes = 0;
  for (const DataFile& file : files) {
    actions.removed.push_back({file.path, time, false, file.size, file.partition_values});
    bytes += file.size;
  }
  CommitInfo info;
  info.timestamp_ms = time;
  info.operation = "OPTIMIZE";
  info.parameters = {{"predicate", "[]"}, {"zOrderBy", "[]"}, {"auto", "false"}};
  info.read_version = now.version;
  info.blind = false;
  info.metrics = {{"numRemovedFiles", static_cast<int64_t>(files.size())},
                  {"numRemovedBytes", bytes},
                  {"numAddedFiles", 1},
                  {"numAddedBytes", made.size}};
  info.id = id;
  actions.commit_info = write_commit_info(info);
  made.data_change = false;
  actions.added = {std::move(made)};
  return actions;
}

bool holds_all(const Snapshot& now, const std::vector<DataFile>& files) {
  std::unordered_set<std::string_view> paths;
  for (const DataFile& file : now.files) paths.insert(file.path);
  return std::ranges::all_of(files, [&](const DataFile& file) { return paths.contains(file.path); });
}

}  // namespace

std::vector<size_t> choose_files(const std::vector<DataFile>& files, const FoldOptions& options) {
  std::vector<size_t> small;
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i].size < options.below_bytes && files[i].modification_ms < options.before_ms) small.push_back(i);
  }
  std::ranges::stable_sort(small, {}, [&](size_t i) { return files[i].size; });
  int64_t sum = 0;
  size_t chosen = 0;
  for (size_t k = 0; k < small.size() && k < static_cast<size_t>(options.most_files); ++k) {
    const int64_t size = files[small[k]].size;
    if (sum + size > options.bytes) break;
    if (size <= sum || !options.evenly) chosen = k + 1;
    sum += size;
  }
  small.resize(chosen);
  if (chosen < static_cast<size_t>(std::max(options.least_files, 2))) return {};
  std::ranges::sort(small);
  return small;
}

Result<Folded> fold(object::Store& store, const std::string& table, const Snapshot& snapshot,
                    const FoldOptions& options) {
  Folded folded;
  const std::vector<Column> columns = snapshot.columns();
  if (auto fits = fit_columns(table, snapshot.protocol, snapshot.metadata, columns); !fits) return pass(fits.error());
  const std::vector<size_t> places = choose_files(snapshot.files, options);
  if (places.empty()) return folded;
  std::vector<DataFile> files;
  for (const size_t place : places) files.push_back(snapshot.files[place]);
  const auto local = store.staging() / fmt::format(".fold-{}.parquet", new_uuid());
  if (auto written = write_rows(store, table, columns, files, options, local); !written) {
    std::error_code ignored;
    std::filesystem::remove(local, ignored);
    return pass(written.error(), "folding {}, version {}", table, snapshot.version);
  }
  auto made = put_data_file(store, table, local, columns);
  if (!made) return pass(made.error(), "folding {}", table);
  // Its rows are no younger than they were.
  made->modification_ms = std::ranges::max_element(files, {}, &DataFile::modification_ms)->modification_ms;

  const std::string id = new_uuid();
  Snapshot now = snapshot;
  for (int races = 0; races <= kMaxRaces; ++races) {
    const Actions actions = actions_of(files, *made, now, id);
    const Stopwatch clock;
    const auto put = put_entry(store, commit_name(table, now.version + 1), write_actions(actions), id);
    if (!put) return pass(put.error());
    if (*put == Put::ours) {
      folded.files = static_cast<int64_t>(files.size());
      folded.made = 1;
      for (const DataFile& file : files) folded.bytes += file.size;
      folded.more = true;
      return folded;
    }
    let_others_pass(races, clock.seconds() * 1e3);
    auto next = refresh(store, table, now);
    if (!next) return pass(next.error());
    const bool same = next->protocol == now.protocol && next->metadata == now.metadata;
    if (!same || !holds_all(*next, files)) break;
    now = std::move(*next);
  }
  // Nobody's commit names the new file.
  if (auto gone = store.remove(table + "/" + made->path); !gone) debug("{}", gone.error().message);
  folded.raced = true;
  return folded;
}

}  // namespace pinflow::delta
