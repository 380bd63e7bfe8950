// For the tests of this room: a folder that is gone afterwards, the pipelines of the repository, a file's text.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "pipeline/load.h"

namespace pinflow::source {

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow-source-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path repository() {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
}

inline pipeline::Pipeline load_pipeline(const std::string& folder) {
  auto loaded = pipeline::load(repository() / folder);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().message;
    return {};
  }
  return std::move(*loaded);
}
inline pipeline::Pipeline tiny_pipeline() { return load_pipeline("tests/pipelines/tiny"); }
inline pipeline::Pipeline posts_pipeline() { return load_pipeline("pipelines/pinterest"); }

}  // namespace pinflow::source
