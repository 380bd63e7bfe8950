// A Kinesis stream as a feed; any service that speaks the protocol. (kinesis/client reads it.)
#pragma once

#include <memory>
#include <string>

#include "kinesis/client/endpoint.h"
#include "stream/feed.h"

namespace pinflow::stream {

// `buffer_bytes`: fetched ahead and not yet taken.
std::unique_ptr<Feed> kinesis_feed(std::shared_ptr<const kinesis::Endpoint> endpoint, std::string stream,
                                   size_t buffer_bytes = 16 << 20);

}  // namespace pinflow::stream
