#include "gateway/produce_request.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"
#include "gateway/json_scanner.h"

namespace pinflow::gateway {
namespace {

using kafka::NewRecord;

template <class T = void>
using Parsed = std::expected<T, RestError>;

std::unexpected<RestError> wrong_shape(std::string message) {
  return std::unexpected(RestError{422, 422, std::move(message)});
}
std::unexpected<RestError> wrong_payload(std::string message) {
  return std::unexpected(RestError{422, kPayloadError, std::move(message)});
}

class Parser {
 public:
  Parser(std::string_view body, const ProduceRules& rules) : scanner_(body), rules_(rules) {}

  Parsed<std::vector<NewRecord>> parse() {
    if (scanner_.at_end()) return wrong_shape("Null input provided. Data is required.");
    if (!scanner_.take('{')) return not_an_object("The request");
    bool given = false;
    for (bool more = !scanner_.take('}'); more;) {
      const auto name = member_name();
      if (!name) return std::unexpected(name.error());
      if (*name == "records") {
        auto read = read_records();
        if (!read) return std::unexpected(read.error());
        given = *read;
      } else if (*name == "key_schema" || *name == "key_schema_id" || *name == "value_schema" ||
                 *name == "value_schema_id") {
        if (!scanner_.value()) return broken();
      } else {
        return wrong_shape(fmt::format("Unrecognized field: {}", *name));
      }
      if (!next('}', more)) return broken();
    }
    if (!scanner_.at_end()) return broken();
    if (!given) return wrong_shape("The request has no records: \"records\" is missing or null.");
    if (records_.empty()) return wrong_shape("The request has no records: \"records\" is empty.");
    return std::move(records_);
  }

 private:
  std::unexpected<RestError> broken() const {
    return std::unexpected(RestError{
        400, 400, fmt::format("HTTP 400 Bad Request: the body is not valid JSON (at byte {}).", scanner_.offset())});
  }

  // A value of the wrong kind, if it is a value at all.
  std::unexpected<RestError> not_an_object(std::string_view what) {
    if (!scanner_.value()) return broken();
    return wrong_shape(fmt::format("{} must be a JSON object.", what));
  }

  // After a member or an element: a comma, or the closing bracket.
  bool next(char close, bool& more) {
    more = scanner_.take(',');
    return more || scanner_.take(close);
  }

  Parsed<std::string_view> member_name() {
    const auto name = scanner_.string();
    if (!name || !scanner_.take(':')) return broken();
    if (name->find('\\') == name->npos) return name->substr(1, name->size() - 2);
    name_ = unescaped(*name).value_or("\xEF\xBF\xBD");
    return name_;
  }

  // False where there is null instead of an array.
  Parsed<bool> read_records() {
    records_.clear();
    if (scanner_.peek() == 'n') {
      if (!scanner_.value()) return broken();
      return false;
    }
    if (!scanner_.take('[')) {
      if (!scanner_.value()) return broken();
      return wrong_shape("\"records\" must be an array of objects such as {\"value\":{}}.");
    }
    for (bool more = !scanner_.take(']'); more;) {
      if (records_.size() == rules_.max_records) {
        return std::unexpected(RestError{
            413, 413, fmt::format("A request may hold {} records; send them in several.", rules_.max_records)});
      }
      if (auto read = read_record(); !read) return std::unexpected(read.error());
      if (!next(']', more)) return broken();
    }
    return true;
  }

  Parsed<> read_record() {
    NewRecord& record = records_.emplace_back();
    if (!scanner_.take('{')) return not_an_object(place(""));
    for (bool more = !scanner_.take('}'); more;) {
      const auto name = member_name();
      if (!name) return std::unexpected(name.error());
      Parsed<> read;
      if (*name == "value") {
        read = read_datum(record.value, ".value");
      } else if (*name == "key") {
        read = read_datum(record.key, ".key");
      } else if (*name == "partition") {
        read = read_partition(record.partition);
      } else {
        return wrong_shape(
            fmt::format("Unrecognized field: {} (in {}); a record is {{\"key\":…,\"value\":…}}.", *name, place("")));
      }
      if (!read) return read;
      if (!next('}', more)) return broken();
    }
    return {};
  }

  Parsed<> read_datum(std::optional<std::string>& to, std::string_view member) {
    const auto text = scanner_.value();
    if (!text) return broken();
    if (*text == "null") {
      to.reset();
      return {};
    }
    if (rules_.embedded == Embedded::json) {
      to.emplace(*text);
      return {};
    }
    if (text->front() != '"') {
      return wrong_payload(
          fmt::format("{} must be a base64 string with this Content-Type; for JSON values send "
                      "application/vnd.kafka.json.v2+json.",
                      place(member)));
    }
    bool decoded = false;
    if (text->find('\\') == text->npos) {
      decoded = base64_decode(text->substr(1, text->size() - 2), to.emplace());
    } else if (const auto plain = unescaped(*text)) {  // some writers escape the '/'
      decoded = base64_decode(*plain, to.emplace());
    }
    if (!decoded) return wrong_payload(fmt::format("{} is not valid base64.", place(member)));
    return {};
  }

  Parsed<> read_partition(std::optional<int32_t>& to) {
    const auto text = scanner_.value();
    if (!text) return broken();
    to.reset();
    if (*text == "null") return {};
    if (rules_.partition_in_path) {
      return wrong_shape(fmt::format("Unrecognized field: partition (in {}): the path names it already.", place("")));
    }
    int32_t partition = -1;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), partition);
    if (error != std::errc() || end != text->data() + text->size() || partition < 0) {
      return wrong_shape(fmt::format("{} must be a number from 0.", place(".partition")));
    }
    to = partition;
    return {};
  }

  // "records[3].value": of the record being read, which is the last of records_.
  std::string place(std::string_view member) const { return fmt::format("records[{}]{}", records_.size() - 1, member); }

  JsonScanner scanner_;
  const ProduceRules& rules_;
  std::vector<NewRecord> records_;
  std::string name_;  // of the member being read, where it was escaped
};

void append_number(std::string& to, int64_t number) {
  char digits[20];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

Parsed<std::vector<NewRecord>> parse_produce(std::string_view body, const ProduceRules& rules) {
  if (!simdjson::validate_utf8(body.data(), body.size())) {
    return std::unexpected(RestError{400, 400, "HTTP 400 Bad Request: the body is not valid UTF-8, so not JSON."});
  }
  return Parser(body, rules).parse();
}

std::string produce_answer(std::span<const Slot> slots) {
  std::string body;
  body.reserve(96 + slots.size() * 80);
  body += R"({"offsets":[)";
  for (const Slot& slot : slots) {
    if (&slot != slots.data()) body += ',';
    if (slot.error_code == 0) {
      body += R"({"partition":)";
      append_number(body, slot.partition);
      body += R"(,"offset":)";
      append_number(body, slot.offset);
      body += R"(,"error_code":null,"error":null})";
    } else {
      body += R"({"partition":null,"offset":null,"error_code":)";
      append_number(body, slot.error_code);
      body += R"(,"error":)";
      append_json_string(body, slot.error);
      body += '}';
    }
  }
  body += R"(],"key_schema_id":null,"value_schema_id":null})";
  return body;
}

}  // namespace pinflow::gateway
