#include "lake/objects.h"

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

#include "base/files.h"
#include "base/logging.h"
#include "lake/line_reader.h"

namespace pinflow::lake {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kStartOfDeadLetter = 4096;  // its offset stands behind the topic, which has at most 249 bytes

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || text.empty() || text[0] == '-') return std::nullopt;
  return value;
}

// What follows "topics/<topic>/partition=".
std::optional<TopicObject> parse_name(std::string_view rest, const std::string& topic) {
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view partition = rest.substr(0, slash);
  const std::string before = topic + "+" + std::string(partition) + "+";
  rest.remove_prefix(slash + 1);
  if (!rest.starts_with(before) || !rest.ends_with(".json")) return std::nullopt;
  rest.remove_prefix(before.size());
  rest.remove_suffix(5);
  const auto p = number(partition);
  const auto offset = number(rest);
  if (!p || !offset || *p > INT32_MAX) return std::nullopt;
  TopicObject object;
  object.partition = static_cast<int32_t>(*p);
  object.first_offset = *offset;
  return object;
}

std::pair<int64_t, int64_t> place_of(const TopicObject& object) { return {object.partition, object.first_offset}; }

Result<std::vector<TopicObject>> list_folder(object::Store& store, const std::string& folder,
                                             const std::string& topic) {
  const std::string prefix = folder + topic + "/partition=";
  const auto listed = store.list(prefix);
  if (!listed) return pass(listed.error(), "listing the objects of the topic {}", topic);
  std::vector<TopicObject> objects;
  for (const object::ObjectInfo& info : *listed) {
    auto parsed = parse_name(std::string_view(info.name).substr(prefix.size()), topic);
    if (!parsed) {
      warn("{}: {} is no object of the sink's default layout and is passed over", store.url(), info.name);
      continue;
    }
    parsed->name = info.name;
    parsed->size = info.size;
    objects.push_back(std::move(*parsed));
  }
  std::ranges::sort(objects, {}, place_of);
  const auto twice = std::ranges::adjacent_find(objects, {}, place_of);
  if (twice != objects.end()) {
    return corrupt("{}: {} and {} begin at the same offset", store.url(), twice->name, std::next(twice)->name);
  }
  return objects;
}

}  // namespace

Result<std::vector<TopicObject>> list_topic(object::Store& store, const std::string& topic) {
  // A sink plans what it writes with any other settings.
  const auto plans = store.list("state/sink/" + topic + "/");
  if (!plans) return pass(plans.error(), "listing the plans of the topic {}", topic);
  if (!plans->empty())
    return unsupported(
        "{}: the topic {} was written by a sink with other settings than the pipeline's own (see {}): its objects are "
        "not "
        "lines of JSON in the order of offsets, which is what the batch leg reads. Let the sink write the topic with "
        "JsonFormat, DefaultPartitioner, no compression, no keys and no headers into another lake",
        store.url(), topic, plans->front().name);
  return list_folder(store, "topics/", topic);
}

Result<std::vector<TopicObject>> list_dead(object::Store& store, const std::string& topic) {
  return list_folder(store, "dead/", topic);
}

Result<std::vector<int64_t>> dead_offsets(object::Store& store, const TopicObject& object) {
  constexpr std::string_view kKey = "\"offset\":";
  const auto local = store.fetch(object.name);
  if (!local) return pass(local.error(), "reading the dead letters of {}", object.name);
  auto lines = LineReader::open(local->path(), kStartOfDeadLetter);
  if (!lines) return pass(lines.error());
  std::vector<int64_t> offsets;
  for (LineReader::Line line;;) {
    const auto got = lines->next(line);
    if (!got) return pass(got.error(), "{}", object.name);
    if (!*got) return offsets;
    const size_t at = line.text.find(kKey);
    int64_t offset = -1;
    if (at != std::string_view::npos) {
      const char* begin = line.text.data() + at + kKey.size();
      std::from_chars(begin, line.text.data() + line.text.size(), offset);
    }
    if (offset < 0) return corrupt("{}: line {} is no dead letter of the sink", object.name, offsets.size() + 1);
    offsets.push_back(offset);
  }
}

Result<std::span<const TopicObject>> objects_from(object::Store& store, const std::vector<TopicObject>& listed,
                                                  int32_t partition, int64_t from) {
  const std::pair<int64_t, int64_t> here{partition, from};
  const std::pair<int64_t, int64_t> next{int64_t{partition} + 1, 0};
  auto begin = std::ranges::lower_bound(listed, here, {}, place_of);
  const auto end = std::ranges::lower_bound(begin, listed.end(), next, {}, place_of);
  const bool exact = begin != end && begin->first_offset == from;
  if (!exact && begin != listed.begin() && std::prev(begin)->partition == partition) {
    const auto behind = end_of(store, *std::prev(begin));
    if (!behind) return pass(behind.error());
    if (*behind > from) --begin;
  }
  return std::span<const TopicObject>(begin, end);
}

Result<int64_t> end_of(object::Store& store, const TopicObject& object) {
  const auto local = store.fetch(object.name);
  if (!local) return pass(local.error(), "reading the end of {}", object.name);
  const Fd fd(::open(local->path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open " + local->path().string());
  std::string block(kReadBytes, '\0');
  int64_t lines = 0;
  char last = '\n';
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read " + local->path().string());
    if (got == 0) break;
    lines += std::count(block.data(), block.data() + got, '\n');
    last = block[static_cast<size_t>(got) - 1];
  }
  return object.first_offset + lines + (last == '\n' ? 0 : 1);
}

Result<TopicIdentity> identity_of(object::Store& store, const std::string& topic) {
  const std::string name = "state/topics/" + topic + ".json";
  const auto text = store.get(name);
  if (!text && text.error().code == Code::not_found) return TopicIdentity{};
  if (!text) return pass(text.error());
  simdjson::dom::parser parser;
  simdjson::dom::object marker;
  std::string_view cluster_id;
  std::string_view topic_id;
  const simdjson::padded_string padded(*text);
  if (parser.parse(padded).get(marker) != simdjson::SUCCESS ||
      marker["cluster_id"].get(cluster_id) != simdjson::SUCCESS ||
      marker["topic_id"].get(topic_id) != simdjson::SUCCESS) {
    return corrupt("{}/{}: no object with the texts cluster_id and topic_id", store.url(), name);
  }
  return TopicIdentity{std::string(cluster_id), std::string(topic_id)};
}

int64_t count_lines(std::string_view text) {
  return std::ranges::count(text, '\n') + (text.empty() || text.back() == '\n' ? 0 : 1);
}

}  // namespace pinflow::lake
