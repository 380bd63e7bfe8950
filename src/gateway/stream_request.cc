#include "gateway/stream_request.h"

#include <simdjson.h>

#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "base/json.h"
#include "gateway/json_scanner.h"
#include "gateway/media_types.h"

namespace pinflow::gateway {
namespace {

template <class T>
using Parsed = std::expected<T, http::Response>;

constexpr size_t kMaxPlainKey = 256;        // Kinesis: characters
constexpr size_t kMaxPlainBytes = 1 << 20;  // of a record in a stream as it is made

enum class Member { data, key, hash_key, ordering, records, shard_count, other };

Member member_of(std::string_view name) {
  std::string plain;  // without case and marks: PartitionKey, partitionKey, partition-key, partition_key
  for (const char c : name) {
    if (c == '-' || c == '_') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (plain == "data") return Member::data;
  if (plain == "partitionkey") return Member::key;
  if (plain == "explicithashkey") return Member::hash_key;
  if (plain == "sequencenumberforordering") return Member::ordering;
  if (plain == "records") return Member::records;
  if (plain == "shardcount") return Member::shard_count;
  return Member::other;
}

std::unexpected<http::Response> broken(const JsonScanner& scanner) {
  return std::unexpected(kinesis_error(400, "SerializationException",
                                       fmt::format("the body is not valid JSON (at byte {})", scanner.offset())));
}

std::unexpected<http::Response> not_an_object(std::string_view what) {
  return std::unexpected(kinesis_error(400, "SerializationException", fmt::format("{} must be a JSON object", what)));
}

// A value as the text that it stands for, as the template's $input.path gives it: a string's characters, all others as
// they are written. Nothing where it is null, or a string that is no Unicode.
std::optional<std::string> plain_text(std::string_view value) {
  if (value == "null") return std::nullopt;
  if (value.starts_with('"')) return unescaped(value);
  return std::string(value);
}

class Parser {
 public:
  explicit Parser(std::string_view body) : body_(body), scanner_(body) {}

  // Goes over the members of the object that is next; `on_member` takes the value.
  template <class OnMember>
  Parsed<bool> object(std::string_view what, OnMember on_member) {
    if (!scanner_.take('{')) return scanner_.value() ? Parsed<bool>(not_an_object(what)) : broken(scanner_);
    for (bool more = !scanner_.take('}'); more;) {
      const auto name = scanner_.string();
      if (!name || !scanner_.take(':')) return broken(scanner_);
      if (auto taken = on_member(member_of(unescaped(*name).value_or(""))); !taken) return taken;
      more = scanner_.take(',');
      if (!more && !scanner_.take('}')) return broken(scanner_);
    }
    return true;
  }

  Parsed<bool> check_utf8() const {
    if (simdjson::validate_utf8(body_.data(), body_.size())) return true;
    return std::unexpected(kinesis_error(400, "SerializationException", "the body is not valid UTF-8, so not JSON"));
  }

  Parsed<StreamRecord> record(std::string_view what) {
    std::optional<std::string_view> data;
    std::optional<std::string> key, hash_key, ordering;
    const auto read = object(what, [&](Member member) -> Parsed<bool> {
      const auto value = scanner_.value();
      if (!value) return broken(scanner_);
      if (member == Member::data) data = *value;
      else if (member == Member::key) key = plain_text(*value);
      else if (member == Member::hash_key) hash_key = plain_text(*value);
      else if (member == Member::ordering) ordering = plain_text(*value);
      return true;
    });
    if (!read) return std::unexpected(read.error());
    StreamRecord record;
    if (data) record.bytes = data->size();
    if (key) record.bytes += key->size();
    std::string& to = record.members;
    to.reserve(record.bytes * 4 / 3 + 64);
    if (data) {
      to += R"("Data":")";
      append_base64(to, *data);
      to += '"';
    }
    add(to, "PartitionKey", key);
    add(to, "ExplicitHashKey", hash_key);
    add(to, "SequenceNumberForOrdering", ordering);
    record.plain = data && key && !key->empty() && key->size() <= kMaxPlainKey && record.bytes <= kMaxPlainBytes &&
                   !hash_key && !ordering;
    return record;
  }

  Parsed<std::vector<StreamRecord>> records() {
    std::vector<StreamRecord> all;
    bool given = false;
    const auto read = object("the request", [&](Member member) -> Parsed<bool> {
      if (member != Member::records || scanner_.peek() != '[') {
        if (!scanner_.value()) return broken(scanner_);
        return true;
      }
      given = true;
      all.clear();
      scanner_.take('[');
      for (bool more = !scanner_.take(']'); more;) {
        auto one = record("each of the records");
        if (!one) return std::unexpected(one.error());
        all.push_back(std::move(*one));
        more = scanner_.take(',');
        if (!more && !scanner_.take(']')) return broken(scanner_);
      }
      return true;
    });
    if (!read) return std::unexpected(read.error());
    if (!scanner_.at_end()) return broken(scanner_);
    if (!given)
      return std::unexpected(
          kinesis_error(400, "ValidationException",
                        R"(the request has no records; {"records":[{"data":{},"partition-key":""}]} is meant)"));
    return all;
  }

  JsonScanner& scanner() { return scanner_; }

 private:
  static void add(std::string& to, std::string_view name, const std::optional<std::string>& value) {
    if (!value) return;
    if (!to.empty()) to += ',';
    to.append("\"").append(name).append("\":");
    append_json_string(to, *value);
  }

  const std::string_view body_;
  JsonScanner scanner_;
};

}  // namespace

http::Response gateway_error(int status, std::string_view message) {
  std::string body = R"({"message":)";
  append_json_string(body, message);
  return {status, std::string(kJson), {}, body + "}"};
}

std::string which_stream(std::string_view resource) {
  return fmt::format(
      "HTTP 400 Bad Request: which stream? Its name stands in the path, /streams/NAME/{0}, or in the query, "
      "/streams/{0}?stream-name=NAME.",
      resource);
}

http::Response kinesis_error(int status, std::string_view type, std::string_view message) {
  std::string body = R"({"__type":)";
  append_json_string(body, type);
  body += R"(,"message":)";
  append_json_string(body, message);
  return {status, std::string(kJson), {}, body + "}"};
}

std::expected<StreamRecord, http::Response> parse_stream_record(std::string_view body) {
  Parser parser(body);
  if (auto good = parser.check_utf8(); !good) return std::unexpected(good.error());
  auto record = parser.record("the request");
  if (!record) return record;
  if (!parser.scanner().at_end()) return broken(parser.scanner());
  return record;
}

std::expected<std::vector<StreamRecord>, http::Response> parse_stream_records(std::string_view body) {
  Parser parser(body);
  if (auto good = parser.check_utf8(); !good) return std::unexpected(good.error());
  return parser.records();
}

std::expected<int64_t, http::Response> parse_shard_count(std::string_view body, int64_t otherwise) {
  Parser parser(body);
  if (auto good = parser.check_utf8(); !good) return std::unexpected(good.error());
  if (parser.scanner().at_end()) return otherwise;
  std::optional<std::string> count;
  const auto read = parser.object("the request", [&](Member member) -> Parsed<bool> {
    const auto value = parser.scanner().value();
    if (!value) return broken(parser.scanner());
    if (member == Member::shard_count) count = plain_text(*value);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  if (!parser.scanner().at_end()) return broken(parser.scanner());
  if (!count || count->empty()) return otherwise;
  int64_t number = 0;
  const auto [end, wrong] = std::from_chars(count->data(), count->data() + count->size(), number);
  if (wrong != std::errc() || end != count->data() + count->size())
    return std::unexpected(kinesis_error(400, "SerializationException", "ShardCount must be a whole number"));
  return number;
}

}  // namespace pinflow::gateway
