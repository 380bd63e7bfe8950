// Converters, formats, partitioners and null values of a connector's properties. Internal to the room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "connect/settings.h"
#include "sink/connector_values.h"

namespace pinflow::sink {

// What the properties say of a record's way into bytes; `remarks` gets lines for the user. Whether the settings fit
// together is for connect::Encoding to say.
Result<connect::Settings> read_shape(const ConnectorValues& values, std::vector<std::string>& remarks);
// Whether read_shape looks at this key.
bool is_shape_key(std::string_view key);

}  // namespace pinflow::sink
