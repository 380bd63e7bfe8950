// The functions that a prelude makes: CREATE MACRO in DuckDB, CREATE FUNCTION in Spark. Pure. Internal to the room.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/pipeline.h"
#include "portable/check.h"

namespace pinflow::portable {

struct OwnFunction {
  std::string name;  // lower case
  size_t parameters = 0;
  int line = 1;
  int column = 1;
};

// In the order of the text. A macro of several forms, (a) AS …, (a, b) AS …, is several.
std::vector<OwnFunction> functions_of(std::string_view prelude);

// What one prelude makes and the other does not, or with other numbers of parameters.
std::vector<Finding> compare_preludes(const pipeline::Pipeline& pipeline);

}  // namespace pinflow::portable
