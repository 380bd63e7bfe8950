// A topic's partitions and configs, asked of the cluster. Shared by the writer and the admin.
#pragma once

#include <string>

#include "kafka/client/topic_writer.h"

struct rd_kafka_s;

namespace pinflow::kafka {

enum class Configs { none, set, all };  // those set for the topic, or its defaults too

// Blocks, at most twice timeout_ms. unknown_topic_or_partition where it is not there; never creates it.
// A cluster that does not answer for configs (too old, or not allowed) gives the partitions alone.
std::expected<TopicInfo, TopicFailure> describe_topic(rd_kafka_s* handle, const std::string& name, Configs configs,
                                                      int timeout_ms);

}  // namespace pinflow::kafka
