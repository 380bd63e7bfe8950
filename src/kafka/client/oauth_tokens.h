// Where bearer tokens come from when they are not MSK's: a file, an identity provider, or nobody at all (unsecured
// ones, for tests). Each hands out JSON Web Tokens (RFC 7519) whose `exp` says when the next one is needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/client/token.h"

namespace pinflow::kafka {

using Extensions = std::vector<std::pair<std::string, std::string>>;

// What a token says of itself; its signature is the cluster's to check.
struct Claims {
  std::optional<int64_t> expires_ms;
  std::string subject;
};
// invalid: it is no JWT, in words without the token. Pure.
Result<Claims> read_claims(std::string_view jwt);

// The file's text, read at each call: somebody else puts a new token there in time.
std::shared_ptr<TokenSource> file_tokens(std::filesystem::path file, Extensions extensions,
                                         std::function<int64_t()> now_ms);

// Lent by an identity provider for an id and a secret (RFC 6749, "client credentials"); kept until shortly before its
// end.
struct ClientCredentials {
  std::string url;  // of the token endpoint
  std::string id;
  std::string secret;   // never in a message
  std::string scope;    // empty: none is asked for
  std::string ca_file;  // PEM; empty: those that the system trusts
};
std::shared_ptr<TokenSource> client_credentials_tokens(ClientCredentials with, Extensions extensions,
                                                       std::function<int64_t()> now_ms);
// The body of an answer of the token endpoint. Pure. denied, or unavailable where another attempt may do.
Result<Token> parse_token_answer(int status, std::string_view body, int64_t now_ms);

// Signed by nobody (`alg: none`): only a cluster that trusts everybody takes them.
std::shared_ptr<TokenSource> unsecured_tokens(std::string subject, int64_t lifetime_s, Extensions extensions,
                                              std::function<int64_t()> now_ms);

}  // namespace pinflow::kafka
