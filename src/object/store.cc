#include "object/store.h"

namespace pinflow::object {

Result<> check_name(std::string_view name) {
  std::string_view rest = name;
  for (;;) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) return invalid("object name '{}' has an empty part", name);
    if (part[0] == '.') return invalid("object name '{}' has a part that begins with '.'", name);
    if (part.contains('\0')) return invalid("an object name holds a NUL");
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Store::Made Store::put_all_if_absent(const std::vector<NewObject>& objects) {
  for (size_t i = 0; i < objects.size(); ++i)
    if (auto made = put_if_absent(objects[i].name, objects[i].bytes); !made) return {i, pass(made.error())};
  return {objects.size(), {}};
}

Result<> Store::remove_all(const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (auto gone = remove(name); !gone) return gone;
  return {};
}

}  // namespace pinflow::object
