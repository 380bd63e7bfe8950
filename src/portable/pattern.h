// A regular expression as both engines may read it (RE2 in DuckDB, java.util.regex in Spark), as far as the rules ask.
// Pure.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::portable {

inline constexpr size_t kEndless = static_cast<size_t>(-1);

struct Pattern {
  std::bitset<128> letters;  // ASCII characters that a match may hold
  bool any = false;          // a match may hold others too: '.', [^…], what is not ASCII
  size_t least = 0;          // characters of the shortest match
  size_t most = 0;           // and of the longest, or kEndless
  bool from_begin = false;   // begins with ^
  bool to_end = false;       // ends with $
  bool has_end = false;      // a $ stands anywhere outside of […]

  struct Fault {
    std::string what;
    std::string instead;
  };
  std::vector<Fault> faults;  // constructs of one engine, or of two meanings

  bool only(std::string_view letters) const;  // whether a match can hold nothing else
};

Pattern read_pattern(std::string_view text);

}  // namespace pinflow::portable
