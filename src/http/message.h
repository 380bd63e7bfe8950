// HTTP/1.1 requests and responses as plain values: the seam that keeps Beast and libcurl inside two files. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinflow::http {

struct HeaderField {
  std::string name;
  std::string value;
};

// Value of the first of these of that name, whatever its case; empty where there is none.
std::string_view find_header(const std::vector<HeaderField>& headers, std::string_view name);

struct Request {
  std::string method;  // "POST"
  std::string target;  // as sent: "/prod/topics/local.pin?x=1"
  std::vector<HeaderField> headers;
  std::string body;

  // Value of the first header of that name, whatever its case; empty where there is none.
  std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<HeaderField> headers;  // others
  std::string body;
};

}  // namespace pinflow::http
