// topic.json: what a topic is. {"topic_id":"<22 characters>","partitions":3,"config":{"retention.ms":"1000",…}}
// The config has Kafka's names and values; what is absent has its default.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include "base/error.h"
#include "log/log.h"

namespace pinflow::log {

inline constexpr int32_t kMaxPartitions = 10'000;                                 // of one topic
inline constexpr int64_t kMaxSegmentBytes = std::numeric_limits<int32_t>::max();  // Kafka's

// Kafka's rule: 1 to 249 of letters, digits, '.', '_' and '-'; not "." or "..".
bool is_topic_name(std::string_view name);

// invalid where a value is out of its range.
Result<> check_config(const TopicConfig& config);

// FOLDER/topic.json; the topic has the folder's name. corrupt when it does not parse.
Result<TopicDescription> read_topic(const std::filesystem::path& folder);
Result<> write_topic(const std::filesystem::path& folder, const TopicDescription& topic);

}  // namespace pinflow::log
