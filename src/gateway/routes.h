// Paths of the REST proxy (v2), behind any API stage: "/topics/t", "/prod/topics/t", "//my-prod//topics/t/". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::gateway {

enum class Resource {
  root,        // /
  stage,       // /{stage}: the root behind a stage, or a path that was misspelt
  topics,      // /topics
  topic,       // /topics/{topic}
  partitions,  // /topics/{topic}/partitions
  partition,   // /topics/{topic}/partitions/{partition}
  not_yet,     // known of the REST proxy or of API Gateway, but not served (yet)
  unknown,
};

struct Route {
  Resource resource = Resource::unknown;
  std::string topic;
  int32_t partition = -1;
  std::string_view not_yet;  // what it is, for people
};

// Empty segments are dropped and the others percent-decoded; the query is ignored. One segment before the first known
// name is the stage; where nothing follows it the resource is `stage`. invalid where a percent escape is broken.
Result<Route> route(std::string_view target);

// The methods a resource takes, OPTIONS among them: "GET,OPTIONS,POST". Empty for not_yet and unknown.
std::string_view methods_of(Resource resource);

}  // namespace pinflow::gateway
