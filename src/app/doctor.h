// `pinflow doctor`: tries everything a run needs (configuration, source, folders, addresses, cluster), changes nothing
// but an empty data folder, and says what to mend.
#pragma once

#include "app/options.h"
#include "base/error.h"

namespace pinflow::app {

// 0 when all is well, 1 when something is to be mended.
Result<int> doctor(const Options& options);

}  // namespace pinflow::app
