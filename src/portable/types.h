// The types of a CAST that both engines know by the same name. Internal to the room.
#pragma once

#include <string_view>

#include "portable/code.h"

namespace pinflow::portable {

enum class TypeClass { unknown, boolean, integer, fraction, double_, text, date, timestamp };

// A cast: CAST(x AS type), TRY_CAST(x AS type) or x::type.
struct Cast {
  Range operand;
  size_t type = 0;  // the type's first token
  Range all;
};
bool read_cast(const Code& code, size_t i, Cast& out);  // i: the word CAST or TRY_CAST, or '::'

// The value that ends before `end`, or begins at `from`: a bracket with what is called before it, a CASE, or a name or
// literal with its qualifiers.
Range value_before(const Code& code, size_t end);
Range value_at(const Code& code, size_t from);

TypeClass class_of(const Code& code, size_t type);
bool lacks_precision(const Code& code, size_t type);  // DECIMAL without (p, s), VARCHAR without (n)

}  // namespace pinflow::portable
