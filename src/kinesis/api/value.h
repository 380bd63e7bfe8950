// A request's body as values, whatever its wire form (JSON today; CBOR holds the same kinds). Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::kinesis {

struct Value {
  enum class Kind { null, boolean, number, text, bytes, list, object };

  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string_view text;                // into the document
  std::string bytes;                    // a blob, decoded
  std::vector<std::string_view> names;  // of an object's members, beside `items`
  std::vector<Value> items;

  bool is_null() const { return kind == Kind::null; }
  // A member of an object; nothing where it is absent or null.
  const Value* find(std::string_view name) const;
  Value* find(std::string_view name);

  // Members that have been checked against a shape (shape.h).
  std::optional<std::string_view> text_of(std::string_view name) const;
  std::optional<double> number_of(std::string_view name) const;
  bool flag(std::string_view name) const;
};

// A parsed body, and the bytes that its texts point into.
struct Document {
  Value root;
  std::shared_ptr<const void> bytes;
};

// A body of 16 MiB could hold millions, of which each takes far more room than its text. A PutRecords has some 2,500.
inline constexpr int64_t kMaxValues = 65'536;

// Nothing where the body is no JSON object, or one of over 32 levels or kMaxValues values.
std::optional<Document> parse_json(std::string_view body);

}  // namespace pinflow::kinesis
