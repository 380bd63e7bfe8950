// One line of an object to the fields of its record, each as text: what the cleanings see. Pure. One thread uses a
// parser at a time.
//
//   "text"         the text, escapes resolved; \u0000 is a NUL byte
//   12.50, true    as it stands in the line
//   {…}, […]       its compact JSON text
//   null, absent   NULL
//
// A record is one JSON object, or a list of one object, which is taken as it. Names are compared exactly. What the
// gate at the lake's door refuses (gate/json_gate.h) is no record here either: objects may be others' work.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gate/json_gate.h"

namespace pinflow::lake {

class RecordParser {
 public:
  explicit RecordParser(std::vector<std::string> fields);

  // False where the line is no record; all fields are then NULL. What the other functions answer is valid until the
  // next call, and as long as `line` is.
  bool parse(std::string_view line);

  bool null(size_t field) const { return values_[field].data() == nullptr; }
  std::string_view text(size_t field) const { return values_[field]; }
  int missing() const { return missing_; }  // fields that the record does not have; a null is one that it has
  int unknown() const { return unknown_; }  // members that are none of the fields

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  void clear();
  bool parse_object(const char* at, const char* end, bool judged);
  // Both take the place where the value begins and answer the place behind it, nullptr where it is wrong.
  const char* parse_value(const char* at, const char* end, size_t field, bool judged, bool& nested);
  bool take_name(std::string_view name, size_t& field);
  bool unknown_names_differ();

  const std::vector<std::string> fields_;
  std::vector<std::string_view> values_;  // data() == nullptr: NULL
  std::vector<bool> seen_;
  std::vector<std::string> unknown_names_;
  size_t next_ = 0;  // where the next name is looked for first: records keep the order of the fields
  int missing_ = 0;
  int unknown_ = 0;
  std::string unescaped_;  // texts with escapes, resolved; never grows beyond the line, so views into it hold
  std::string compact_;    // a record with nested values, as the gate wrote it
  gate::JsonGate gate_;
};

}  // namespace pinflow::lake
