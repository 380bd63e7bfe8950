// Random identifiers (RFC 9562, version 4). Thread-safe.
#pragma once

#include <string>

namespace pinflow::delta {

// "0a1b2c3d-….": 122 random bits of the system.
std::string new_uuid();

}  // namespace pinflow::delta
