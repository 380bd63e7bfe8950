#include "object/numbered.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace pinflow::object {

std::string numbered_name(std::string_view folder, int64_t number) {
  return fmt::format("{}{:010}.json", folder, number);
}

Result<std::vector<int64_t>> list_numbers(Store& store, const std::string& folder, std::string_view what) {
  const auto listed = store.list(folder);
  if (!listed) return pass(listed.error());
  std::vector<int64_t> numbers;
  for (const ObjectInfo& info : *listed) {
    const std::string_view name = std::string_view(info.name).substr(folder.size());
    int64_t number = 0;
    const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (fault != std::errc() || std::string_view(end, name.data() + name.size()) != ".json") {
      return corrupt("{}: {} is not the name of {}", store.url(), info.name, what);
    }
    numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace pinflow::object
