// `pinflow topics create | list | describe | delete`, `produce` and `consume`, on any cluster: by default the embedded
// broker of a running `up` or `broker`.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

Result<int> create_topics(const Context& context);  // --topic, or all of the pipeline's that are missing
Result<int> list_topics(const Context& context);
Result<int> describe_topics(const Context& context);
Result<int> delete_topic(const Context& context);
Result<int> produce(const Context& context);
Result<int> consume(const Context& context);

}  // namespace pinflow::app
