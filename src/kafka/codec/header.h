// What precedes each request and response body, within a frame of `size i32 | header | body`. Pure.
//
//   request   key i16 | version i16 | correlation i32 | client id: nullable classic string | (flexible: tags)
//   response  correlation i32 | (flexible, but never for ApiVersions: tags)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kafka/codec/api.h"

namespace pinflow::kafka {

struct RequestHeader {
  int16_t api_key = 0;
  int16_t api_version = 0;
  int32_t correlation_id = 0;
  std::optional<std::string> client_id;
};

struct Request {
  RequestHeader header;
  const ApiSpec* api = nullptr;  // null: not in our list; then client_id is not read, and body is empty
  bool in_range = false;         // the version is one we read; where not, body is empty
  std::string_view body;
};

// `frame` is what follows the size. invalid: it is no request.
Result<Request> read_request(std::string_view frame);

// Appends the header (no size).
void write_request_header(const RequestHeader& header, std::string& to);
void write_response_header(Api api, int16_t version, int32_t correlation_id, std::string& to);

struct Response {
  int32_t correlation_id = 0;
  std::string_view body;
};
Result<Response> read_response(Api api, int16_t version, std::string_view frame);

}  // namespace pinflow::kafka
