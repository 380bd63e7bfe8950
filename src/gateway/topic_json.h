// Topics as the REST proxy (v2) shows them. Pure.
#pragma once

#include <string>
#include <vector>

#include "kafka/client/topic_writer.h"

namespace pinflow::gateway {

std::string topic_names_json(const std::vector<std::string>& names);  // ["a","b"]
std::string topic_json(const kafka::TopicInfo& topic);                // {"name":…,"configs":{…},"partitions":[…]}
std::string partitions_json(
    const std::vector<kafka::PartitionInfo>& list);  // [{"partition":0,"leader":1,"replicas":[…]}]
std::string partition_json(const kafka::PartitionInfo& partition);

}  // namespace pinflow::gateway
