#include "sink/lake_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/files.h"
#include "sink/dead_letter.h"

namespace pinflow::sink {
namespace {

constexpr size_t kReadBytes = 256 << 10;

std::vector<ObjectAt> objects_of(const std::vector<object::ObjectInfo>& listed, const Names& names) {
  std::vector<ObjectAt> found;
  for (const object::ObjectInfo& info : listed)
    if (const auto first = names.first_offset(info.name)) found.push_back({*first, info.name});
  std::ranges::sort(found, {}, &ObjectAt::first);  // names with more digits than the padding sort before others
  return found;
}

// The first object that may reach `from`: the last one that begins at or before it.
std::vector<ObjectAt>::const_iterator first_reaching(const std::vector<ObjectAt>& objects, int64_t from) {
  const auto behind = std::ranges::upper_bound(objects, from, {}, &ObjectAt::first);
  return behind == objects.begin() ? behind : std::prev(behind);
}

}  // namespace

Result<int64_t> count_lines(object::Store& store, const std::string& name) {
  auto file = store.fetch(name);
  if (!file) return pass(file.error());
  Fd fd(::open(file->path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open " + file->path().string());
  std::vector<char> buffer(kReadBytes);
  int64_t lines = 0;
  char last = 0;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "read " + file->path().string());
    }
    lines += std::count(buffer.data(), buffer.data() + got, '\n');
    last = buffer[static_cast<size_t>(got) - 1];
  }
  if (last != '\n') return corrupt("{}/{} does not end with a whole line: not written by a sink", store.url(), name);
  return lines;
}

LakeReader::LakeReader(object::Store& store, const Layout& layout, std::string_view topic, int32_t partition)
    : store_(store),
      data_names_(layout, Kind::data, topic, partition),
      dead_names_(layout, Kind::dead, topic, partition) {}

Result<> LakeReader::list() { return list_from(0); }

Result<> LakeReader::list_from(int64_t from) {
  // Names of more digits than the padding sort before others.
  const bool sorted = from > 0 && data_names_.name(from).size() == data_names_.name(0).size();
  auto data = store_.list(data_names_.prefix(), sorted ? data_names_.name(from - 1) : std::string());
  if (!data) return pass(data.error());
  data_ = objects_of(*data, data_names_);
  auto dead = store_.list(dead_names_.prefix());  // few, and one may reach far
  if (!dead) return pass(dead.error());
  dead_ = objects_of(*dead, dead_names_);
  return {};
}

std::optional<int64_t> LakeReader::first() const {
  std::optional<int64_t> first;
  if (!data_.empty()) first = data_.front().first;
  if (!dead_.empty()) first = std::min(first.value_or(dead_.front().first), dead_.front().first);
  return first;
}

Result<std::optional<int64_t>> LakeReader::end() {
  std::optional<int64_t> end;
  if (!data_.empty()) {
    auto range = range_of(data_.back());
    if (!range) return pass(range.error());
    end = range->end;
  }
  if (!dead_.empty()) {
    auto offsets = offsets_of(dead_.back());
    if (!offsets) return pass(offsets.error());
    end = std::max(end.value_or(0), offsets->back() + 1);
  }
  return end;
}

Result<Coverage> LakeReader::coverage_from(int64_t from) {
  std::vector<Range> ranges;
  for (auto at = first_reaching(data_, from); at != data_.end(); ++at) {
    auto range = range_of(*at);
    if (!range) return pass(range.error());
    ranges.push_back(*range);
  }
  for (auto at = first_reaching(dead_, from); at != dead_.end(); ++at) {
    auto offsets = offsets_of(*at);
    if (!offsets) return pass(offsets.error());
    for (const int64_t offset : *offsets)
      if (offset >= from) ranges.push_back({offset, offset + 1});
  }
  auto coverage = Coverage::of(std::move(ranges));
  if (!coverage) return pass(coverage.error(), "{}/{}*", store_.url(), data_names_.prefix());
  return coverage;
}

Result<int64_t> LakeReader::dead_between(int64_t from, int64_t to) {
  int64_t count = 0;
  for (auto at = first_reaching(dead_, from); at != dead_.end() && at->first < to; ++at) {
    auto offsets = offsets_of(*at);
    if (!offsets) return pass(offsets.error());
    for (const int64_t offset : *offsets) count += offset >= from && offset < to ? 1 : 0;
  }
  return count;
}

Result<std::optional<LakeReader::LastLine>> LakeReader::last_line() {
  if (data_.empty()) return std::nullopt;
  const std::string& name = data_.back().name;
  auto range = range_of(data_.back());
  if (!range) return pass(range.error());
  auto bytes = store_.get(name);
  if (!bytes) return pass(bytes.error());
  bytes->pop_back();
  const size_t begin = bytes->rfind('\n') + 1;  // npos + 1 is 0
  return LastLine{range->end - 1, bytes->substr(begin), name};
}

Result<Range> LakeReader::range_of(const ObjectAt& data) {
  auto lines = count_lines(store_, data.name);
  if (!lines) return pass(lines.error());
  return Range{data.first, data.first + *lines};
}

Result<std::vector<int64_t>> LakeReader::offsets_of(const ObjectAt& dead) {
  auto bytes = store_.get(dead.name);
  if (!bytes) return pass(bytes.error());
  if (!bytes->ends_with('\n'))
    return corrupt("{}/{} does not end with a whole line: not written by a sink", store_.url(), dead.name);
  std::vector<int64_t> offsets;
  for (std::string_view rest = *bytes; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    auto offset = offset_of_dead_letter(rest.substr(0, rest.find('\n')));
    if (!offset) return pass(offset.error(), "{}/{}", store_.url(), dead.name);
    offsets.push_back(*offset);
  }
  return offsets;
}

}  // namespace pinflow::sink
