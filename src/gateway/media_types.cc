#include "gateway/media_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace pinflow::gateway {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The type without its parameters, in lower case.
std::string bare_type(std::string_view field) {
  std::string type(trimmed(field.substr(0, field.find(';'))));
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

bool needs_schema_registry(std::string_view type) {
  return type.starts_with("application/vnd.kafka.avro.") || type.starts_with("application/vnd.kafka.protobuf.") ||
         type.starts_with("application/vnd.kafka.jsonschema.");
}

}  // namespace

std::expected<Embedded, RestError> embedded_format(std::string_view content_type) {
  // The form that nearly every request has.
  if (content_type == "application/vnd.kafka.json.v2+json") return Embedded::json;
  const std::string type = bare_type(content_type);
  if (type == "application/vnd.kafka.json.v2+json") return Embedded::json;
  if (type.empty() || type == "application/vnd.kafka.binary.v2+json" || type == kKafkaV2 ||
      type == "application/vnd.kafka+json" || type == kJson || type == "application/octet-stream") {
    return Embedded::binary;
  }
  if (needs_schema_registry(type)) {
    return std::unexpected(
        RestError{415, 415,
                  fmt::format("HTTP 415 Unsupported Media Type: {} needs a schema registry, and there "
                              "is none here. Send application/vnd.kafka.json.v2+json or "
                              "application/vnd.kafka.binary.v2+json.",
                              type)});
  }
  return std::unexpected(RestError{415, 415,
                                   fmt::format("HTTP 415 Unsupported Media Type: \"{}\". Send "
                                               "application/vnd.kafka.json.v2+json or "
                                               "application/vnd.kafka.binary.v2+json.",
                                               type)});
}

std::expected<std::string_view, RestError> answer_type(std::string_view accept) {
  if (accept.empty() || accept == kKafkaV2 || accept == "*/*") return kKafkaV2;
  bool anything = false;
  for (std::string_view rest = accept; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string type = bare_type(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (type == kJson) return kJson;
    if (type.starts_with("application/vnd.kafka") && type.ends_with("+json")) return kKafkaV2;
    anything = anything || type == "*/*" || type == "application/*";
  }
  if (anything) return kKafkaV2;
  return std::unexpected(RestError{406, 406,
                                   "HTTP 406 Not Acceptable: answers are application/vnd.kafka.v2+json or "
                                   "application/json."});
}

}  // namespace pinflow::gateway
