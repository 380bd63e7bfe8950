// Requests to streams: API Gateway's front of Kinesis.
#pragma once

#include <memory>

#include "gateway/routes.h"
#include "gateway/shared.h"

namespace pinflow::gateway {

bool is_of_streams(Resource resource);

// A request whose route and method are known to belong together. Called on a server's thread; answers when Kinesis has.
void serve_streams(const std::shared_ptr<Shared>& shared, const Route& route, const http::Request& request,
                   http::Respond respond);

}  // namespace pinflow::gateway
