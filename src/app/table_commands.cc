#include "app/table_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "app/counts.h"
#include "app/lake_store.h"
#include "base/clock.h"
#include "base/json.h"
#include "delta/properties.h"
#include "delta/table.h"
#include "delta/upkeep.h"
#include "lake/table_files.h"

namespace pinflow::app {
namespace {

// not_found, naming the tables that there are.
Result<> check_table(object::Store& lake, const std::string& name) {
  const auto names = delta::list_tables(lake, "tables");
  if (!names) return pass(names.error());
  if (std::ranges::find(*names, name) != names->end()) return {};
  if (names->empty()) return not_found("there is no table '{}', nor any other: nothing has been cleaned yet", name);
  return not_found("there is no table '{}'; there are: {}", name, fmt::join(*names, ", "));
}

Result<delta::UpkeepReport> keep_up(const Context& context, const delta::UpkeepOptions& options) {
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  const std::string& name = context.options.names.front();
  if (auto there = check_table(**lake, name); !there) return pass(there.error());
  return delta::maintain(**lake, lake::table_folder(name), options);
}

Result<std::optional<int64_t>> interval(const std::string& text, const char* flag) {
  if (text.empty()) return std::nullopt;
  const auto ms = delta::parse_interval(text);
  if (!ms) return pass(ms.error(), "{}", flag);
  return *ms;
}

}  // namespace

Result<int> fold_table(const Context& context) {
  delta::UpkeepOptions options;
  options.clean = options.vacuum = options.fold_evenly = false;
  options.fold_least_files = 2;
  if (context.options.all_hours) options.fold_before_ms = now_ms() + 1;
  const auto report = keep_up(context, options);
  if (!report) return pass(report.error());
  if (context.options.format == Format::json) {
    JsonWriter json;
    json.begin_object().key("files_folded").number(report->files_folded).key("files_made").number(report->files_made);
    json.key("bytes").number(report->bytes_folded).key("checkpoints").number(int64_t{report->checkpoints});
    fmt::print("{}\n", json.end_object().text());
    return 0;
  }
  const std::string& name = context.options.names.front();
  if (report->files_folded == 0) {
    fmt::print("{}: nothing to fold{}\n", name,
               context.options.all_hours ? "" : "; files of this hour are left until it is over, or with --all");
  } else {
    fmt::print("{}: {} files folded into {}, {} KiB\n", name, grouped(report->files_folded),
               grouped(report->files_made), grouped(report->bytes_folded / 1024));
  }
  return 0;
}

Result<int> clean_table(const Context& context) {
  delta::UpkeepOptions options;
  options.fold = false;
  auto keep = interval(context.options.keep, "--keep");
  if (!keep) return pass(keep.error());
  auto keep_files = interval(context.options.keep_files, "--keep-files");
  if (!keep_files) return pass(keep_files.error());
  options.log_retention_ms = *keep;
  options.file_retention_ms = *keep_files;
  const auto report = keep_up(context, options);
  if (!report) return pass(report.error());
  if (context.options.format == Format::json) {
    JsonWriter json;
    json.begin_object().key("log_entries_removed").number(report->log_entries_removed);
    json.key("files_removed").number(report->files_removed).key("bytes").number(report->bytes_removed);
    fmt::print("{}\n", json.end_object().text());
    return 0;
  }
  fmt::print("{}: {} old log entries and {} files ({} KiB) removed\n", context.options.names.front(),
             grouped(report->log_entries_removed), grouped(report->files_removed),
             grouped(report->bytes_removed / 1024));
  return 0;
}

}  // namespace pinflow::app
