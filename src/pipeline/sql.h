// SQL text with where it came from, for errors.
#pragma once

#include <filesystem>
#include <string>

namespace pinflow::pipeline {

struct Sql {
  std::filesystem::path file;
  std::string text;
};

}  // namespace pinflow::pipeline
