// A Java regular expression of a topics.regex as librdkafka wants it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::kafka {

// "^(…)$" in POSIX extended syntax, as regcomp(3) takes it: \d, \w, \s and (?:…) are rewritten, \Q…\E is quoted.
// invalid: a construct that POSIX does not have (look-around, lazy and possessive quantifiers, named groups,
// back-references), or a malformed one.
Result<std::string> topic_pattern(std::string_view regex);

}  // namespace pinflow::kafka
