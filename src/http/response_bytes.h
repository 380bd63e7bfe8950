// Responses as the bytes of HTTP/1.1. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace pinflow::http {

struct Framing {
  bool http10 = false;
  bool keep_alive = true;
  bool head = false;  // answers HEAD: Content-Length as for GET, no body
};

std::string_view reason_phrase(int status);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7); whole seconds since 1970.
std::string http_date(int64_t seconds);

// "Name: value\r\n". Line ends inside a value become blanks, so that nothing echoed can split a response.
void append_field(std::string& to, std::string_view name, std::string_view value);

// Appends the status line, `common_fields` (finished lines, such as Date), Content-Type, Content-Length, the other
// fields and the body.
void append_response(std::string& to, const Response& response, Framing framing, std::string_view common_fields);

}  // namespace pinflow::http
