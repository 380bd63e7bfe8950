#include "kafka/broker/topic_config.h"

#include <algorithm>
#include <charconv>

namespace pinflow::kafka {
namespace {

using enum ConfigType;

// Sorted by name. Defaults are Kafka's, but retention.ms: here a topic keeps its records for ever unless told to.
constexpr TopicConfigSpec kSpecs[] = {
    {"cleanup.policy", list, "delete", 0, "delete|compact"},
    {"compression.gzip.level", int32, "-1", -1, ""},
    {"compression.lz4.level", int32, "9", 1, ""},
    {"compression.type", string, "producer", 0, "producer"},
    {"compression.zstd.level", int32, "3", -131072, ""},
    {"delete.retention.ms", int64, "86400000", 0, ""},
    {"file.delete.delay.ms", int64, "60000", 0, ""},
    {"flush.messages", int64, "1", 1, ""},
    {"flush.ms", int64, "9223372036854775807", 0, ""},
    {"index.interval.bytes", int32, "4096", 0, ""},
    {"local.retention.bytes", int64, "-2", -2, ""},
    {"local.retention.ms", int64, "-2", -2, ""},
    {"max.compaction.lag.ms", int64, "9223372036854775807", 1, ""},
    {"max.message.bytes", int32, "1048588", 0, ""},
    {"message.downconversion.enable", boolean, "true", 0, ""},
    {"message.format.version", string, "3.0-IV1", 0, ""},
    {"message.timestamp.after.max.ms", int64, "9223372036854775807", 0, ""},
    {"message.timestamp.before.max.ms", int64, "9223372036854775807", 0, ""},
    {"message.timestamp.difference.max.ms", int64, "9223372036854775807", 0, ""},
    {"message.timestamp.type", string, "CreateTime", 0, "CreateTime"},
    {"min.cleanable.dirty.ratio", real, "0.5", 0, ""},
    {"min.compaction.lag.ms", int64, "0", 0, ""},
    {"min.insync.replicas", int32, "1", 1, ""},
    {"preallocate", boolean, "false", 0, ""},
    {"remote.storage.enable", boolean, "false", 0, "false"},
    {"retention.bytes", int64, "-1", -1, ""},
    {"retention.ms", int64, "-1", -1, ""},
    {"segment.bytes", int32, "268435456", 14, ""},
    {"segment.index.bytes", int32, "10485760", 4, ""},
    {"segment.jitter.ms", int64, "0", 0, ""},
    {"segment.ms", int64, "604800000", 1, ""},
    {"unclean.leader.election.enable", boolean, "false", 0, ""},
};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_choice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const size_t bar = choices.find('|');
    if (choices.substr(0, bar) == value) return true;
    if (bar == std::string_view::npos) break;
    choices.remove_prefix(bar + 1);
  }
  return false;
}

bool each_is_choice(std::string_view choices, std::string_view values) {
  for (;;) {
    const size_t comma = values.find(',');
    std::string_view one = values.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!is_choice(choices, one)) return false;
    if (comma == std::string_view::npos) return true;
    values.remove_prefix(comma + 1);
  }
}

template <class T>
bool is_number(std::string_view value, int64_t least) {
  const auto n = number<T>(value);
  return n && *n >= static_cast<T>(least);
}

bool fits(const TopicConfigSpec& spec, std::string_view value) {
  switch (spec.type) {
    case boolean: return spec.choices.empty() ? value == "true" || value == "false" : value == spec.choices;
    case string: return spec.choices.empty() || is_choice(spec.choices, value);
    case list: return spec.choices.empty() || each_is_choice(spec.choices, value);
    case int32: return is_number<int32_t>(value, spec.least);
    case int64: return is_number<int64_t>(value, spec.least);
    case real: {
      const auto n = number<double>(value);
      return n && *n >= 0 && *n <= 1;
    }
  }
  return false;
}

bool only_compacted(const ConfigMap& set) {
  const auto policy = set.find("cleanup.policy");
  return policy != set.end() && policy->second.find("delete") == std::string::npos;
}

}  // namespace

std::span<const TopicConfigSpec> topic_config_specs() { return kSpecs; }

const TopicConfigSpec* find_topic_config(std::string_view name) {
  const auto found = std::ranges::lower_bound(kSpecs, name, {}, &TopicConfigSpec::name);
  return found != std::end(kSpecs) && found->name == name ? found : nullptr;
}

Result<> check_topic_config(std::string_view name, std::string_view value) {
  const TopicConfigSpec* spec = find_topic_config(name);
  if (spec == nullptr) return invalid("Unknown topic config name: {}", name);
  if (fits(*spec, value)) return {};
  if (!spec->choices.empty())
    return invalid("Invalid value {} for configuration {}: it must be {}", value, name, spec->choices);
  return invalid("Invalid value {} for configuration {}", value, name);
}

Result<log::TopicConfig> to_log_config(const ConfigMap& set) {
  log::TopicConfig config;
  const bool keeps_all = only_compacted(set);
  for (const auto& [name, value] : set) {
    if (const auto good = check_topic_config(name, value); !good) return pass(good.error());
    if (name == "retention.ms" && !keeps_all) config.retention_ms = *number<int64_t>(value);
    else if (name == "retention.bytes" && !keeps_all) config.retention_bytes = *number<int64_t>(value);
    else if (name == "segment.bytes") config.segment_bytes = *number<int64_t>(value);
    else config.others[name] = value;
  }
  return config;
}

ConfigMap from_log_config(const log::TopicConfig& config) {
  ConfigMap set = config.others;
  if (config.retention_ms != -1) set["retention.ms"] = std::to_string(config.retention_ms);
  if (config.retention_bytes != -1) set["retention.bytes"] = std::to_string(config.retention_bytes);
  if (config.segment_bytes != -1) set["segment.bytes"] = std::to_string(config.segment_bytes);
  return set;
}

ConfigMap topic_config_values(const log::TopicConfig& config, int64_t broker_max_message_bytes) {
  ConfigMap values = from_log_config(config);
  values.emplace("max.message.bytes", std::to_string(broker_max_message_bytes));
  for (const auto& spec : kSpecs) values.emplace(spec.name, spec.standard);
  return values;
}

bool is_topic_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." && std::ranges::all_of(name, allowed);
}

int64_t max_message_bytes_of(const log::TopicConfig& config, int64_t broker_default) {
  const auto set = config.others.find("max.message.bytes");
  if (set == config.others.end()) return broker_default;
  return number<int64_t>(set->second).value_or(broker_default);
}

}  // namespace pinflow::kafka
