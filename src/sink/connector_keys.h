// The keys of a connector's properties that are not honoured: what they may say, or why they are ignored. Internal to
// the room.
#pragma once

#include <optional>
#include <string_view>

namespace pinflow::sink {

// A key that must have one of some values where it is given; others would change what is written.
struct Demand {
  std::string_view key;
  std::string_view values;     // separated by blanks; an empty value is always taken
  std::string_view otherwise;  // why another is refused
};
const Demand* find_demand(std::string_view key);

// Why a key has no effect here, and that does no harm; nothing where it is no such key.
std::optional<std::string_view> why_harmless(std::string_view key);

bool is_one_of(std::string_view value, std::string_view values);

}  // namespace pinflow::sink
