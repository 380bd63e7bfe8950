// Who feeds a table of the streaming leg: the program's own stream workers, or a query on Spark. Each keeps in its own
// way how far it has come (plans; a checkpoint), so a table has one owner for life:
//
//   state/owners/<table>.json     {"table":"pin_stream","owner":"spark"}
//
// put if absent by who comes first. A table that was there before these files were is the embedded workers'.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::lake {

inline constexpr std::string_view kOwnedHere = "embedded", kOwnedBySpark = "spark";

// conflict where the table is another's; the message says what to do. When it returns well, the table is `owner`'s.
Result<> claim_stream_table(object::Store& store, const std::string& table, std::string_view owner);

}  // namespace pinflow::lake
