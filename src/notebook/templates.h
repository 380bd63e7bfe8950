// The Python of the notebooks that is the same for every pipeline; {…} of Python's own stay as they are. Internal.
#pragma once

#include <string_view>

namespace pinflow::notebook {

extern const std::string_view kWidgets;    // 1_objects: widgets, names
extern const std::string_view kLake;       // 1_objects: mount or read
extern const std::string_view kLines;      // 1_objects: the objects' lines, the cleaned view
extern const std::string_view kClean;      // 2_clean: clean(record, sql)
extern const std::string_view kCleanEnd;   // 2_clean: what was done
extern const std::string_view kChecks;     // 3_queries: check(…), views
extern const std::string_view kStream;     // 4_stream: sources, decoding, start(record, sql)
extern const std::string_view kStreamEnd;  // 4_stream: waiting

}  // namespace pinflow::notebook
