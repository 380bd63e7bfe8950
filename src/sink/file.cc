#include "sink/file.h"

#include <algorithm>

#include "sink/dead_letter.h"

namespace pinflow::sink {

void File::count(int64_t offset, const Now& now) {
  if (records++ == 0) {
    first = offset;
    opened = now;
  }
  next = offset + 1;
  touched_ms = now.steady_ms;
}

Result<int64_t> drop_before(File& file, int64_t offset) {
  int64_t dropped = 0;
  size_t at = 0;
  int64_t first = file.first;
  while (dropped < file.records && first < offset) {
    at = file.bytes.find('\n', at) + 1;
    ++dropped;
    if (file.kind == Kind::data) {
      ++first;
    } else if (dropped < file.records) {
      const size_t end = file.bytes.find('\n', at);
      auto named = offset_of_dead_letter(std::string_view(file.bytes).substr(at, end - at));
      if (!named) return named;
      first = *named;
    }
  }
  file.bytes.erase(0, at);
  file.records -= dropped;
  file.first = first;
  return dropped;
}

}  // namespace pinflow::sink
