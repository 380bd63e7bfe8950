// `pinflow query` and `pinflow tables`: what the lake answers and holds.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

Result<int> query(const Context& context);
Result<int> tables(const Context& context);
Result<int> show_table(const Context& context);

}  // namespace pinflow::app
