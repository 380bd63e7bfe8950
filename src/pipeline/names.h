// Names in a pipeline: patterns filled in, and what Kafka, Kinesis and a folder of tables accept. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::pipeline {

// What a name's pattern may hold: {id} is the pipeline's user_id, {record} the record type's name.
struct NameValues {
  std::string_view id;
  std::string_view record;
};
Result<std::string> fill_pattern(std::string_view pattern, const NameValues& values);

// Each gives what is wrong with the name ("has the character ' '; …"), or nothing.
std::optional<std::string> topic_name_fault(std::string_view name);   // Kafka's: [a-zA-Z0-9._-]{1,249}, not . or ..
std::optional<std::string> stream_name_fault(std::string_view name);  // Kinesis': [a-zA-Z0-9_.-]{1,128}
std::optional<std::string> table_name_fault(std::string_view name);   // a folder's and SQL's: [a-zA-Z0-9_-]{1,128}
std::optional<std::string> word_fault(std::string_view name);         // of records, queries: [a-z][a-z0-9_]{0,63}
std::optional<std::string> user_id_fault(std::string_view name);      // [a-zA-Z0-9_-]{1,64}
std::optional<std::string> column_name_fault(std::string_view name);  // printable UTF-8, at most 64 bytes

}  // namespace pinflow::pipeline
