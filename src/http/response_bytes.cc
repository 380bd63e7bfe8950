#include "http/response_bytes.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace pinflow::http {
namespace {

void append_number(std::string& to, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  to.append(digits, end);
}

}  // namespace

void append_field(std::string& to, std::string_view name, std::string_view value) {
  to += name;
  to += ": ";
  const size_t start = to.size();
  to += value;
  for (size_t i = start; i < to.size(); ++i) {
    if (to[i] == '\r' || to[i] == '\n') to[i] = ' ';
  }
  to += "\r\n";
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

std::string http_date(int64_t seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                     utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void append_response(std::string& to, const Response& response, Framing framing, std::string_view common_fields) {
  const bool bodiless = response.status == 204 || response.status == 304 || response.status / 100 == 1;
  if (response.status == 200) {
    to += "HTTP/1.1 200 OK\r\n";
  } else {
    to += "HTTP/1.1 ";
    append_number(to, static_cast<uint64_t>(response.status));
    to += ' ';
    to += reason_phrase(response.status);
    to += "\r\n";
  }
  to += common_fields;
  if (!bodiless) {
    append_field(to, "Content-Type", response.content_type);
    to += "Content-Length: ";
    append_number(to, response.body.size());
    to += "\r\n";
  }
  for (const HeaderField& field : response.headers) append_field(to, field.name, field.value);
  if (!framing.keep_alive) to += "Connection: close\r\n";
  else if (framing.http10) to += "Connection: keep-alive\r\n";
  to += "\r\n";
  if (!bodiless && !framing.head) to += response.body;
}

}  // namespace pinflow::http
