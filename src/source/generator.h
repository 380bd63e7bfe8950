// Posts made up from a generator profile (docs/source.md): the same posts for the same seed on any machine, each made
// without those before it. C++ has the kinds of generators; what is made of them stands in the profile.
//
// One object is for one thread; a copy shares the profile and is cheap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/pipeline.h"
#include "source/value.h"

namespace pinflow::source {

struct Profile;

class Generator {
 public:
  // Every mistake in the profile is an error with file and line. The profile makes each source column of the pipeline.
  static Result<Generator> load(const std::filesystem::path& profile, const pipeline::Pipeline& pipeline,
                                uint64_t seed = 100);
  Generator(const Generator&);
  Generator(Generator&&) noexcept;
  ~Generator();

  // Post n as a JSON object for each record type, in the pipeline's order: byte for byte what a PostReader gives when
  // the post has gone through an SQLite source. `json` is resized, its memory used again.
  void post(int64_t n, std::vector<std::string>& json);

  // Post n as a row for each record type, in the order of its source columns.
  void rows(int64_t n, std::vector<Row>& rows);

 private:
  struct Scratch;
  Generator(std::shared_ptr<const Profile> profile, uint64_t seed);
  void make(int64_t n);

  std::shared_ptr<const Profile> profile_;
  uint64_t seed_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace pinflow::source
