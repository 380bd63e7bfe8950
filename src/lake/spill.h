// A folder beside the store's staging for what the engine writes meanwhile: unfinished Parquet files and what does not
// fit into its memory. Gone, with all that is in it, with this object; after a kill the store's own staging rules hold.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::lake {

class Spill {
 public:
  static Result<std::unique_ptr<Spill>> make(object::Store& store);
  ~Spill();
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // A path in the folder that no other call got.
  std::filesystem::path new_file(const std::string& ending) { return path_ / (std::to_string(++files_) + ending); }

 private:
  explicit Spill(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  int files_ = 0;
};

}  // namespace pinflow::lake
