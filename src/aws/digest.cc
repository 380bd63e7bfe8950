#include "aws/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

#include "base/bytes.h"

namespace pinflow::aws {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// EVP_md5() and the like are looked up anew at each use, under locks; what was fetched is not. Kept to the end.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* kind = EVP_MD_fetch(nullptr, name, nullptr);
  if (kind == nullptr) std::abort();  // an OpenSSL without it
  return kind;
}

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  std::string result(static_cast<size_t>(EVP_MD_get_size(kind)), '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.data()), nullptr, kind, nullptr) !=
      1)
    std::abort();  // only without memory
  return result;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  static const EVP_MD* const kKind = fetched("SHA256");
  return digest(kKind, bytes);
}
std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }
std::string md5(std::string_view bytes) {
  static const EVP_MD* const kKind = fetched("MD5");
  return digest(kKind, bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string result(32, '\0');
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(),
           reinterpret_cast<unsigned char*>(result.data()), &length) == nullptr)
    std::abort();  // only without memory
  return result;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace pinflow::aws
