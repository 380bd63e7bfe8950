// The objects of a folder, for the directory store.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "object/store.h"

struct stat;

namespace pinflow::object {

ObjectInfo info_of(std::string name, const struct stat& status);

// As Store::list says it. Each folder is synced after it was read, so that what is listed is durable. A file that
// goes away meanwhile is left out.
Result<std::vector<ObjectInfo>> list_folder(const std::filesystem::path& root, std::string_view prefix,
                                            std::string_view after);

}  // namespace pinflow::object
