#include "lake/objects.h"

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "base/files.h"
#include "base/logging.h"

namespace pinflow::lake {
namespace {

constexpr size_t kReadBytes = 1 << 20;

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
  return TopicObject{{}, static_cast<int32_t>(*p), *offset, 0};
}

}  // namespace

Result<std::vector<TopicObject>> list_topic(object::Store& store, const std::string& topic) {
  const std::string prefix = "topics/" + topic + "/partition=";
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
  const auto place = [](const TopicObject& object) { return std::pair(object.partition, object.first_offset); };
  std::ranges::sort(objects, {}, place);
  const auto twice = std::ranges::adjacent_find(objects, {}, place);
  if (twice != objects.end()) {
    return corrupt("{}: {} and {} begin at the same offset", store.url(), twice->name, std::next(twice)->name);
  }
  return objects;
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
