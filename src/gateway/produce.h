// One produce request from its body to its answer.
#pragma once

#include <memory>
#include <string_view>

#include "gateway/routes.h"
#include "gateway/shared.h"

namespace pinflow::gateway {

// POST to a topic or a partition. Called on a server's thread; answers when the writer has decided on every record.
void produce(const std::shared_ptr<Shared>& shared, Route route, const http::Request& request,
             std::string_view answer_type, http::Respond respond);

}  // namespace pinflow::gateway
