// The canonical form of an HTTP request that both sides of a signature compute. Pure.
// Source: "Create a canonical request", AWS Signature Version 4, AWS IAM User Guide.
//
//   METHOD \n path \n query \n header:value\n… \n signed;headers \n hex(sha256(body))
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace pinflow::aws {

// Percent-encodes all but A-Z a-z 0-9 - . _ ~ (and '/', where it is kept), in capitals.
std::string percent_encode(std::string_view text, bool keep_slash);
// Undoes it; a '%' that begins no code stays.
std::string percent_decode(std::string_view text);

// A request as it is on the wire.
struct WireRequest {
  std::string_view method;
  std::string_view path;                                    // "/a%20b"
  std::string_view query;                                   // without '?'
  const std::vector<http::HeaderField>* headers = nullptr;  // with Host
};

// What a service does to a path before it is signed.
enum class PathRule {
  once,   // S3: as on the wire, encoded once, "." and ".." kept
  twice,  // all others: normalised (RFC 3986), then what is on the wire is encoded again
};

// The names of headers in the lower case, sorted, joined with ';'; the values trimmed, inner blanks made one.
// `signed_headers` is such a list. A query parameter X-Amz-Signature is left out.
std::string canonical_request(const WireRequest& request, PathRule rule, std::string_view signed_headers,
                              std::string_view payload_sha256);

std::string lower_case(std::string_view text);

}  // namespace pinflow::aws
