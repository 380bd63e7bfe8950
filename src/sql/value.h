// What a query answers: a small table of values, and how it is shown as text, JSON or CSV. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pinflow::sql {

// A moment, UTC.
struct Timestamp {
  int64_t micros = 0;  // since 1970-01-01 00:00 UTC
  bool operator==(const Timestamp&) const = default;
};

struct Value;
using List = std::vector<Value>;
using Members = std::vector<std::pair<std::string, Value>>;  // a struct's fields, or a map's entries (keys as text)

// One cell. SQL types become: BOOLEAN bool; every integer type int64_t (beyond its range: text); FLOAT, DOUBLE and
// DECIMAL double; TIMESTAMP and TIMESTAMPTZ Timestamp; DATE text "2020-08-28"; BLOB text (its bytes); lists and
// arrays List; structs and maps Members; enums and the rest text. NULL is monostate.
struct Value {
  std::variant<std::monostate, bool, int64_t, double, std::string, Timestamp, List, Members> is;

  bool null() const { return std::holds_alternative<std::monostate>(is); }
  // The value as that kind; a bug (a crash) where it is another: the caller wrote the SELECT.
  bool boolean() const { return std::get<bool>(is); }
  int64_t integer() const { return std::get<int64_t>(is); }
  double real() const { return std::get<double>(is); }
  const std::string& text() const { return std::get<std::string>(is); }
  Timestamp timestamp() const { return std::get<Timestamp>(is); }
  const List& list() const { return std::get<List>(is); }
  const Members& members() const { return std::get<Members>(is); }
  const Value* find(std::string_view member) const;  // of members(); nullptr where there is none
};
bool operator==(const Value& a, const Value& b);

struct ColumnInfo {
  std::string name;
  std::string type;  // the engine's name: "BIGINT", "VARCHAR", "TIMESTAMP WITH TIME ZONE", "DOUBLE[]"
};

struct Table {
  std::vector<ColumnInfo> columns;
  std::vector<std::vector<Value>> rows;
};

// "2020-08-28 03:52:47", with up to six decimals where there is a fraction; always UTC. The one form in which times
// are shown, in every format.
std::string text_of(Timestamp time);

// A value as people read it: NULL empty, doubles in their shortest form, lists "[1.5, 2]".
std::string text_of(const Value& value);

// The value as JSON: integers and doubles numbers (NaN and infinities null), times strings as above, lists arrays.
std::string json_of(const Value& value);

// Aligned columns under a line of names, numbers to the right; control characters are shown escaped, and a cell
// longer than `widest` characters is cut with an ellipsis (0: never).
std::string as_text(const Table& table, size_t widest = 0);

// An array of row objects, keys in the order of the columns: [{"country":"Albania","follower_count":2000000}].
std::string as_json(const Table& table);

// RFC 4180 with a line of names; NULL is an empty field, an empty text "".
std::string as_csv(const Table& table);

}  // namespace pinflow::sql
