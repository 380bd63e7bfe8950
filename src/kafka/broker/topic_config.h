// A topic's configuration as Kafka names it, and what the log makes of it. Pure.
// https://kafka.apache.org/documentation/#topicconfigs
//
// Every name that Kafka knows, but those of throttled replication, is taken, kept and given back. These have an
// effect: retention.ms, retention.bytes (not for a topic that is only compacted: nothing is ever removed from it),
// segment.bytes, max.message.bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "log/log.h"

namespace pinflow::kafka {

// Kafka's numbers for a configuration's type.
enum class ConfigType : int8_t { boolean = 1, string = 2, int32 = 3, int64 = 5, real = 6, list = 7 };

struct TopicConfigSpec {
  std::string_view name;
  ConfigType type;
  std::string_view standard;  // the value where none is set
  int64_t least;              // of numbers
  std::string_view choices;   // of strings and lists, "a|b"; empty: any
};

std::span<const TopicConfigSpec> topic_config_specs();
const TopicConfigSpec* find_topic_config(std::string_view name);

using ConfigMap = std::map<std::string, std::string>;  // those that are set

// invalid: a name that Kafka does not know, a value that is not of its type, or one that is not supported here.
Result<> check_topic_config(std::string_view name, std::string_view value);
Result<log::TopicConfig> to_log_config(const ConfigMap& set);
ConfigMap from_log_config(const log::TopicConfig& config);

// Every configuration, with the value that holds: the one set, or the standard.
ConfigMap topic_config_values(const log::TopicConfig& config, int64_t broker_max_message_bytes);

// What Kafka allows: 1 to 249 of [a-zA-Z0-9._-], but not "." or "..".
bool is_topic_name(std::string_view name);

// The greatest batch that the topic takes.
int64_t max_message_bytes_of(const log::TopicConfig& config, int64_t broker_default);

}  // namespace pinflow::kafka
