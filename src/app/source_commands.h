// `pinflow source generate | load | count`, and the source that `run` makes for itself.
#pragma once

#include "app/context.h"
#include "app/progress.h"
#include "base/error.h"

namespace pinflow::app {

Result<int> source_generate(const Context& context);
Result<int> source_load(const Context& context);
Result<int> source_count(const Context& context);

// The source to read from. Where the user has named none and DATA/source.db is not there, it is made with generated
// posts, which is said.
Result<source::SourceUrl> ready_source(const Context& context, Progress& progress);

}  // namespace pinflow::app
