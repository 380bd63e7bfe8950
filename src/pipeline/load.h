// Reads a pipeline folder. Everything wrong with it is found here, before any work: an unknown key, a missing file,
// a type that does not exist, a duplicate name, a key of the wrong kind, each with file and line.
#pragma once

#include <filesystem>
#include <string>

#include "pipeline/pipeline.h"

namespace pinflow::pipeline {

// `profile` names an overlay of the folder's `profiles`; "local" is the definition itself.
Result<Pipeline> load(const std::filesystem::path& folder, const std::string& profile = "local");

}  // namespace pinflow::pipeline
