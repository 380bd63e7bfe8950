// Reads a pipeline folder. What is wrong with pipeline.yaml is found here, before any work: an unknown key or setting,
// a missing file, a type that does not exist, a duplicate name, a key of the wrong kind, each with file and line. What
// stands in the files that it names is judged by those that use them: SQL by the engine, the generator by source.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "pipeline/pipeline.h"

namespace pinflow::pipeline {

// `profile` names an overlay of the folder's `profiles`; "local" is the definition itself. `given` are the settings
// that the command line gives: what the files say of them does not count, and may still be a placeholder.
Result<Pipeline> load(const std::filesystem::path& folder, const std::string& profile = "local",
                      const std::set<std::string>& given = {});

}  // namespace pinflow::pipeline
