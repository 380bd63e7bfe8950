// The raw view on Spark: lines of text to the fields of their records, each as text, row for row what RecordParser
// (record_parser.h) makes of the same bytes. As SQL text. Pure.
//
// Spark's own readers of JSON differ from it: they write numbers anew (1.50e+3 as 1500.0), take the last of two members
// of one name, pass over what follows a value, let lone surrogates in. So a line is taken apart by patterns: a flat
// object in one pass; one with nested values by its tokens, which are counted, and judged by try_parse_json (which
// knows members given twice).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pinflow::lake {

// A SELECT over `lines`, which has `value` (a line's text, its bytes untouched, no newline) and any other columns; they
// are handed through, and to them come:
//   field_0 …            the fields, NULL where missing or null
//   fault                INT, lake::Fault
//   missing, unknown     INT: fields that the record does not have, members that are no fields
// Columns of `lines` must not begin with "pf_".
std::string spark_raw_sql(const std::string& lines, const std::vector<std::string>& fields);

// An expression: the text of `value` as a dead letter shows it. Bytes that are not UTF-8 are U+FFFD each; of a line
// that is too long the start.
std::string spark_shown_sql(const std::string& value, const std::string& fault);

}  // namespace pinflow::lake
