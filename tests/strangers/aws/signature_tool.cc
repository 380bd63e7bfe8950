// What this program makes of a request, for AWS's own vectors and signers to be held against. Reads one case from
// standard input, a field a line with \n for a line feed, and prints what it made. The fields: below.
#include <iostream>
#include <string>
#include <vector>

#include "aws/signature.h"

namespace {

using namespace pinflow;

std::string unescaped(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) result += text[++i] == 'n' ? '\n' : text[i];
    else result += text[i];
  }
  return result;
}

std::vector<http::HeaderField> headers_of(const std::vector<std::string>& lines, size_t from) {
  std::vector<http::HeaderField> headers;
  for (size_t i = from; i < lines.size(); ++i)
    if (const size_t colon = lines[i].find(':'); colon != std::string::npos)
      headers.push_back({lines[i].substr(0, colon), lines[i].substr(colon + 1)});
  return headers;
}

// RULE, NAMES, SHA256, METHOD, PATH, QUERY, REGION, SERVICE, DATE, SECRET, then headers.
// Prints the canonical request, the string to sign and the signature, NUL between them.
int canonical(const std::vector<std::string>& lines) {
  const aws::PathRule rule = lines[1] == "once"    ? aws::PathRule::once
                             : lines[1] == "twice" ? aws::PathRule::twice
                                                   : aws::PathRule::plain;
  const auto headers = headers_of(lines, 11);
  const aws::Scope scope{lines[7], lines[8]};
  const std::string made = aws::canonical_request({lines[4], lines[5], lines[6], &headers}, rule, lines[2], lines[3]);
  const std::string to_sign = aws::string_to_sign(lines[9], aws::credential_scope(scope, lines[9]), made);
  std::cout << made << '\0' << to_sign << '\0' << aws::signature(aws::signing_key(lines[10], scope, lines[9]), to_sign);
  return 0;
}

// METHOD, HOST, PATH, SERVICE, REGION, DATE_MS, KEY, SECRET, TOKEN, EXPIRES, SHA256, then "name=value" of the query.
int presign(const std::vector<std::string>& lines) {
  aws::SignedRequest request{lines[1], lines[2], lines[3], {}, {}, lines[11]};
  for (size_t i = 12; i < lines.size(); ++i) {
    const size_t equals = lines[i].find('=');
    if (equals != std::string::npos) request.query.emplace_back(lines[i].substr(0, equals), lines[i].substr(equals + 1));
  }
  std::cout << aws::presign(request, {lines[5], lines[4]}, {lines[7], lines[8], lines[9], {}}, std::stoll(lines[6]),
                            std::stoll(lines[10]));
  return 0;
}

}  // namespace

int main() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(unescaped(line));
  if (lines.size() >= 11 && lines[0] == "canonical") return canonical(lines);
  if (lines.size() >= 12 && lines[0] == "presign") return presign(lines);
  std::cerr << "signature_tool: no such case\n";
  return 2;
}
