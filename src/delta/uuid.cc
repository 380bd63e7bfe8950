#include "delta/uuid.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"

namespace pinflow::delta {

std::string new_uuid() {
  std::array<char, 16> bytes;
  // Up to 256 bytes come whole once the system's generator is seeded; anything else is no state to go on in.
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text = to_hex(std::string_view(bytes.data(), bytes.size()));
  for (const size_t place : {20, 16, 12, 8}) text.insert(place, "-");
  return text;
}

}  // namespace pinflow::delta
