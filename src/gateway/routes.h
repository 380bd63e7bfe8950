// Paths of the REST proxy (v2), and of API Gateway's front of Kinesis, behind any API stage: "/topics/t",
// "/prod/topics/t", "//my-prod//topics/t/", "/prod/streams/s/record". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pinflow::gateway {

enum class Resource {
  root,            // /
  stage,           // /{stage}: the root behind a stage, or a path that was misspelt
  topics,          // /topics
  topic,           // /topics/{topic}
  partitions,      // /topics/{topic}/partitions
  partition,       // /topics/{topic}/partitions/{partition}
  streams,         // /streams
  stream,          // /streams/{stream}
  record,          // /streams/{stream}/record, or /streams/record?stream-name={stream}
  records,         // /streams/{stream}/records, likewise
  shard_iterator,  // /streams/{stream}/sharditerator
  not_yet,         // known of the REST proxy or of API Gateway, but not served (yet)
  unknown,
};

struct Route {
  Resource resource = Resource::unknown;
  std::string topic;
  int32_t partition = -1;
  std::string_view not_yet = {};                                // what it is, for people
  std::string stream = {};                                      // its name, from the path or the query
  std::vector<std::pair<std::string, std::string>> query = {};  // of a stream's resource, decoded

  // The first value of that name in the query; empty where there is none.
  std::string_view parameter(std::string_view name) const;
};

// Empty segments are dropped and the others percent-decoded; the query matters to streams alone. One segment before the
// first known name is the stage; where nothing follows it the resource is `stage`. invalid where a percent escape is
// broken.
Result<Route> route(std::string_view target);

// Whether the path, behind its stage, begins with /streams, also where `route` knows no such resource or fails.
bool is_under_streams(std::string_view target);

// The methods a resource takes, OPTIONS among them: "GET,OPTIONS,POST". Empty for not_yet and unknown.
std::string_view methods_of(Resource resource);

}  // namespace pinflow::gateway
