#include "log/topic_file.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "base/files.h"
#include "base/json.h"
#include "log/identity.h"

namespace pinflow::log {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kRetentionMs = "retention.ms";
constexpr std::string_view kRetentionBytes = "retention.bytes";
constexpr std::string_view kSegmentBytes = "segment.bytes";

bool read_number(std::string_view text, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_config(const simdjson::dom::object& object, TopicConfig& config) {
  for (const auto& [key, element] : object) {
    std::string_view value;
    if (element.get(value)) return false;
    if (key == kRetentionMs) {
      if (!read_number(value, config.retention_ms)) return false;
    } else if (key == kRetentionBytes) {
      if (!read_number(value, config.retention_bytes)) return false;
    } else if (key == kSegmentBytes) {
      if (!read_number(value, config.segment_bytes)) return false;
    } else {
      config.others.emplace(key, value);
    }
  }
  return true;
}

}  // namespace

bool is_topic_name(std::string_view name) {
  constexpr size_t kLongest = 249;
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

Result<> check_config(const TopicConfig& config) {
  if (config.retention_ms < -1) return invalid("retention.ms is {}: give -1 (for ever) or more", config.retention_ms);
  if (config.retention_bytes < -1) {
    return invalid("retention.bytes is {}: give -1 (no bound) or more", config.retention_bytes);
  }
  if (config.segment_bytes != -1 && (config.segment_bytes < 1 || config.segment_bytes > kMaxSegmentBytes)) {
    return invalid("segment.bytes is {}: give 1 to {}", config.segment_bytes, kMaxSegmentBytes);
  }
  return {};
}

Result<TopicDescription> read_topic(const fs::path& folder) {
  const fs::path path = folder / "topic.json";
  auto text = read_file(path);
  if (!text && text.error().code == Code::not_found) return corrupt("{} is missing", path.string());
  if (!text) return pass(text.error());
  TopicDescription topic;
  topic.name = folder.filename().string();
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view id;
  int64_t partitions = 0;
  simdjson::dom::object config;
  if (parser.parse(*text).get(root) || root["topic_id"].get(id) || root["partitions"].get(partitions) ||
      root["config"].get(config) || partitions < 1 || partitions > kMaxPartitions ||
      !read_config(config, topic.config)) {
    return corrupt("{} is not a topic's description: restore it from a copy", path.string());
  }
  auto uuid = parse_uuid(id);
  if (!uuid) return corrupt("{}: {}", path.string(), uuid.error().message);
  topic.topic_id = std::move(*uuid);
  topic.partitions = static_cast<int32_t>(partitions);
  return topic;
}

Result<> write_topic(const fs::path& folder, const TopicDescription& topic) {
  JsonWriter json;
  json.begin_object();
  json.key("topic_id").string(uuid_text(topic.topic_id));
  json.key("partitions").number(int64_t{topic.partitions});
  json.key("config").begin_object();
  const auto put = [&](std::string_view key, int64_t value) {
    if (value != -1) json.key(key).string(fmt::to_string(value));
  };
  put(kRetentionMs, topic.config.retention_ms);
  put(kRetentionBytes, topic.config.retention_bytes);
  put(kSegmentBytes, topic.config.segment_bytes);
  for (const auto& [key, value] : topic.config.others) json.key(key).string(value);
  json.end_object().end_object();
  return replace_file(folder / "topic.json", json.text() + "\n");
}

}  // namespace pinflow::log
