#include "kafka/client/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

#include "base/bytes.h"

namespace pinflow::kafka {
namespace {

constexpr int kMaxIterations = 10'000'000;  // beyond, a server only wants to keep us busy

const EVP_MD* digest(bool wide) { return wide ? EVP_sha512() : EVP_sha256(); }
size_t digest_size(bool wide) { return wide ? 64 : 32; }

std::string hmac(bool wide, std::string_view key, std::string_view text) {
  std::string out(digest_size(wide), '\0');
  unsigned size = 0;
  HMAC(digest(wide), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

std::string hash(bool wide, std::string_view text) {
  std::string out(digest_size(wide), '\0');
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size, digest(wide), nullptr);
  return out;
}

// "=" and "," are written "=3D" and "=2C" in names.
std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '=') out += "=3D";
    else if (c == ',') out += "=2C";
    else out += c;
  }
  return out;
}

// The value of `x=` in "r=…,s=…,i=…".
std::string attribute(std::string_view message, char name) {
  while (!message.empty()) {
    const size_t comma = std::min(message.find(','), message.size());
    const std::string_view one = message.substr(0, comma);
    if (one.size() >= 2 && one[0] == name && one[1] == '=') return std::string(one.substr(2));
    message.remove_prefix(std::min(comma + 1, message.size()));
  }
  return {};
}

}  // namespace

ScramClient::ScramClient(std::string_view mechanism, std::string_view user, std::string password, std::string nonce)
    : wide_(mechanism.ends_with("512")),
      user_(escaped(user)),
      password_(std::move(password)),
      nonce_(std::move(nonce)) {}

std::string ScramClient::first() const { return fmt::format("n,,n={},r={}", user_, nonce_); }

Result<std::string> ScramClient::final(std::string_view server_first) {
  const std::string nonce = attribute(server_first, 'r'), count = attribute(server_first, 'i');
  std::string salt;
  int iterations = 0;
  const bool counted = std::from_chars(count.data(), count.data() + count.size(), iterations).ec == std::errc();
  if (!nonce.starts_with(nonce_) || nonce.size() == nonce_.size() || !counted || iterations < 1 ||
      iterations > kMaxIterations || !base64_decode(attribute(server_first, 's'), salt)) {
    return invalid("the broker's first message of SCRAM is none");
  }
  std::string salted(digest_size(wide_), '\0');
  PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), iterations,
                    digest(wide_), static_cast<int>(salted.size()), reinterpret_cast<unsigned char*>(salted.data()));
  const std::string without_proof = "c=biws,r=" + nonce;
  const std::string all = fmt::format("n={},r={},{},{}", user_, nonce_, server_first, without_proof);
  std::string proof = hmac(wide_, salted, "Client Key");
  const std::string signature = hmac(wide_, hash(wide_, proof), all);
  for (size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  server_signature_ = base64_encode(hmac(wide_, hmac(wide_, salted, "Server Key"), all));
  return without_proof + ",p=" + base64_encode(proof);
}

Result<> ScramClient::verify(std::string_view server_final) const {
  if (const std::string error = attribute(server_final, 'e'); !error.empty()) {
    return fail(Code::denied, "SCRAM: {}", error);
  }
  if (server_signature_.empty() || attribute(server_final, 'v') != server_signature_) {
    return fail(Code::denied, "the broker does not prove that it knows the password: is it the right cluster?");
  }
  return {};
}

}  // namespace pinflow::kafka
