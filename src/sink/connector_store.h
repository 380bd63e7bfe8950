// Where a connector's properties put their objects. Internal to the room.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "sink/connector.h"
#include "sink/connector_values.h"

namespace pinflow::sink {

// Fills the connector's folder, s3 and keys.
Result<> read_store(const ConnectorValues& values, bool lake_given, Connector& connector);
// Whether read_store looks at this key.
bool is_store_key(std::string_view key);

}  // namespace pinflow::sink
