#include "sink/names.h"

#include <fmt/format.h>

#include <charconv>

namespace pinflow::sink {
namespace {

constexpr std::string_view kExtension = ".json";

}  // namespace

Names::Names(const Layout& layout, Kind kind, std::string_view topic, int32_t partition) : pad_(layout.pad) {
  if (kind == Kind::dead) {
    prefix_ = fmt::format("dead/{0}/partition={1}/{0}{2}{1}{2}", topic, partition, layout.file_delim);
    return;
  }
  if (!layout.topics_dir.empty()) prefix_ = layout.topics_dir + layout.directory_delim;
  prefix_ +=
      fmt::format("{0}{3}partition={1}{3}{0}{2}{1}{2}", topic, partition, layout.file_delim, layout.directory_delim);
}

std::string Names::name(int64_t first_offset) const {
  return fmt::format("{}{:0{}}{}", prefix_, first_offset, pad_, kExtension);
}

std::optional<int64_t> Names::first_offset(std::string_view name) const {
  if (!name.starts_with(prefix_) || !name.ends_with(kExtension)) return std::nullopt;
  name.remove_prefix(prefix_.size());
  if (name.size() <= kExtension.size()) return std::nullopt;
  name.remove_suffix(kExtension.size());
  if (name.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  int64_t offset = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), offset);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  // Another width of the same number would be another object at the same offset.
  if (fmt::format("{:0{}}", offset, pad_) != name) return std::nullopt;
  return offset;
}

std::string object_name(const Layout& layout, std::string_view topic, int32_t partition, std::string_view folder,
                        int64_t first_offset, std::string_view extension) {
  std::string name;
  if (!layout.topics_dir.empty()) name = layout.topics_dir + layout.directory_delim;
  name += fmt::format("{0}{1}{2}{1}{0}{3}{4}{3}{5:0{6}}{7}", topic, layout.directory_delim, folder, layout.file_delim,
                      partition, first_offset, layout.pad, extension);
  return name;
}

std::string marker_name(std::string_view topic) { return fmt::format("state/topics/{}.json", topic); }

}  // namespace pinflow::sink
