// `pinflow tables fold|clean NAME`: the upkeep of a table by hand.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

Result<int> fold_table(const Context& context);
Result<int> clean_table(const Context& context);

}  // namespace pinflow::app
