// What a request's Content-Type and Accept mean to the REST proxy (v2). Pure.
#pragma once

#include <expected>
#include <string_view>

#include "gateway/rest_error.h"

namespace pinflow::gateway {

// How keys and values are embedded in the request's JSON.
enum class Embedded { json, binary };

inline constexpr std::string_view kKafkaV2 = "application/vnd.kafka.v2+json";
inline constexpr std::string_view kJson = "application/json";

// application/vnd.kafka.json.v2+json is json. application/vnd.kafka.binary.v2+json is binary, and so are, as in the
// REST proxy, those that name no embedded type: application/vnd.kafka.v2+json, application/vnd.kafka+json,
// application/json, application/octet-stream, and none at all. Parameters (charset) are ignored. Everything else is
// 415; avro, jsonschema and protobuf with the reason that there is no schema registry.
std::expected<Embedded, RestError> embedded_format(std::string_view content_type);

// The content type to answer with, kKafkaV2 or kJson, by the Accept field (empty: anything): the first listed that can
// be had; else 406. q-values are not weighed.
std::expected<std::string_view, RestError> answer_type(std::string_view accept);

}  // namespace pinflow::gateway
