// The JSON gate: what may enter the lake. It judges the bytes of one record by RFC 8259, strictly, and writes the
// good ones compact: white space outside strings goes, every other byte stays as it came (numbers of any size and
// precision, escapes, the order of members). A compact record holds no line break, so one record is one line.
// Pure. A JsonGate keeps scratch memory between records: one thread uses it at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::gate {

// Why a record is refused. The list is fixed: people and programs tell dead letters apart by these texts.
enum class Refusal {
  empty,           // no bytes, or white space only
  not_utf8,        // RFC 3629; a raw surrogate and an overlong form are not UTF-8
  not_json,        // also a byte order mark, a raw control character in a string, what follows a value and is none
  several_values,  // more than one JSON value, one after the other
  too_deep,        // more than kMaxDepth arrays and objects open at once
  lone_surrogate,  // an escape \ud800-\udfff that is not half of a pair
  duplicate_key,   // twice the same name in one object, compared after unescaping
  too_long,        // more than kMaxRecordBytes
};
std::string_view text_of(Refusal refusal);  // "nested deeper than 100"

inline constexpr int kMaxDepth = 100;
inline constexpr size_t kMaxRecordBytes = 16 << 20;

class JsonGate {
 public:
  // Appends the compact record to `out`, or leaves `out` as it was and gives the reason: of several, the first that
  // is met, the length, emptiness and UTF-8 being looked at before the rest. `record` and `out` do not overlap.
  std::expected<void, Refusal> accept(std::string_view record, std::string& out);

 private:
  struct Frame {
    bool object;
    size_t first_name;  // of this object, in names_
  };
  using Step = std::expected<const char*, Refusal>;

  Step scan_values(const char* at, const char* end, std::string& out);
  Step scan_name(const char* at, const char* end);
  bool has_duplicate(size_t first);

  std::vector<Frame> open_;              // arrays and objects that are open, the innermost last
  std::vector<std::string_view> names_;  // of the open objects, in the order they were met
  std::vector<uint64_t> marks_;          // of each name: equal names have equal marks
  std::deque<std::string> unescaped_;    // what the names with escapes stand for
};

}  // namespace pinflow::gate
