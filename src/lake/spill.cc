#include "lake/spill.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace pinflow::lake {

Result<std::unique_ptr<Spill>> Spill::make(object::Store& store) {
  std::string name = (store.staging() / "engine-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return system_error(errno, "make a folder in " + store.staging().string());
  return std::unique_ptr<Spill>(new Spill(name));
}

Spill::~Spill() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace pinflow::lake
