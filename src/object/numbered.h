// Objects with consecutive numbers as names, ten digits each: FOLDER/0000000007.json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "object/store.h"

namespace pinflow::object {

// `folder` ends with a slash.
std::string numbered_name(std::string_view folder, int64_t number);

// The numbers in `folder`, ascending. corrupt: another name lies there; `what` it is not the name of ("a plan").
Result<std::vector<int64_t>> list_numbers(Store& store, const std::string& folder, std::string_view what);

}  // namespace pinflow::object
