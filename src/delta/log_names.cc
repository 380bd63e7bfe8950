#include "delta/log_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace pinflow::delta {
namespace {

constexpr size_t kVersionDigits = 20;
constexpr size_t kPartDigits = 10;

std::optional<int64_t> number(std::string_view text, size_t digits) {
  int64_t value = 0;
  if (text.size() != digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

}  // namespace

std::string log_folder(std::string_view table) { return fmt::format("{}/_delta_log/", table); }

std::string commit_name(std::string_view table, int64_t version) {
  return fmt::format("{}/_delta_log/{:020}.json", table, version);
}

std::string checkpoint_name(std::string_view table, int64_t version) {
  return fmt::format("{}/_delta_log/{:020}.checkpoint.parquet", table, version);
}

std::string hint_name(std::string_view table) { return fmt::format("{}/_delta_log/_last_checkpoint", table); }

std::string before_version(std::string_view table, int64_t version) {
  return fmt::format("{}/_delta_log/{:020}", table, version);
}

LogFile parse_log_name(std::string_view name) {
  const auto version = number(name.substr(0, kVersionDigits), kVersionDigits);
  if (!version) return {};
  std::string_view rest = name.substr(kVersionDigits);
  if (rest == ".json") return {LogFile::Kind::commit, *version};
  if (rest == ".checkpoint.parquet") return {LogFile::Kind::checkpoint, *version};
  constexpr std::string_view kMark = ".checkpoint.";
  if (!rest.starts_with(kMark)) return {};
  rest.remove_prefix(kMark.size());
  const auto part = number(rest.substr(0, kPartDigits), kPartDigits);
  if (part && rest.size() == 2 * kPartDigits + 9 && rest[kPartDigits] == '.' && rest.ends_with(".parquet")) {
    const auto parts = number(rest.substr(kPartDigits + 1, kPartDigits), kPartDigits);
    if (parts) return {LogFile::Kind::checkpoint_part, *version, *part, *parts};
  }
  if (rest.ends_with(".parquet") || rest.ends_with(".json")) return {LogFile::Kind::checkpoint_v2, *version};
  return {};
}

int64_t LogListing::newest() const {
  return std::max(commits.empty() ? -1 : commits.rbegin()->first,
                  checkpoints.empty() ? -1 : checkpoints.rbegin()->first);
}

int64_t LogListing::oldest() const {
  if (!commits.empty() && commits.begin()->first == 0) return 0;
  return checkpoints.empty() ? -1 : checkpoints.begin()->first;
}

LogListing sort_listing(std::string_view table, const std::vector<object::ObjectInfo>& objects) {
  const std::string folder = log_folder(table);
  LogListing listing;
  std::map<std::pair<int64_t, int64_t>, std::map<int64_t, std::string>> parts;  // by version and number of parts
  for (const object::ObjectInfo& object : objects) {
    if (!object.name.starts_with(folder)) continue;
    const LogFile file = parse_log_name(std::string_view(object.name).substr(folder.size()));
    switch (file.kind) {
      case LogFile::Kind::commit: listing.commits[file.version] = object; break;
      case LogFile::Kind::checkpoint:
        listing.checkpoints[file.version] = {object.name};
        listing.checkpoint_times[file.version] = object.modified_ms;
        listing.checkpoint_bytes[file.version] = object.size;
        break;
      case LogFile::Kind::checkpoint_part:
        parts[{file.version, file.parts}][file.part] = object.name;
        listing.checkpoint_times.try_emplace(file.version, object.modified_ms);
        listing.checkpoint_bytes[file.version] += object.size;
        break;
      case LogFile::Kind::checkpoint_v2: listing.has_v2_checkpoint = true; break;
      case LogFile::Kind::other: break;
    }
  }
  for (const auto& [of, names] : parts) {
    const auto [version, count] = of;
    const bool whole =
        static_cast<int64_t>(names.size()) == count && names.begin()->first == 1 && names.rbegin()->first == count;
    if (!whole || listing.checkpoints.contains(version)) continue;
    for (const auto& [part, name] : names) listing.checkpoints[version].push_back(name);
  }
  return listing;
}

}  // namespace pinflow::delta
