// Whole objects compressed, always the same way for the same bytes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "connect/settings.h"

namespace pinflow::connect {

// `level` -1: the library's own. gzip without a name and without a time.
std::string compress(Compression how, int level, std::string bytes);

}  // namespace pinflow::connect
