// BrokerConnection's part that logs in: SaslHandshake (17), version 1, and SaslAuthenticate (36), version 1. Neither is
// spoken by our broker, so they are not in the codec.
//   https://kafka.apache.org/protocol#sasl_handshake
#include <fmt/ranges.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/bytes.h"
#include "kafka/client/broker_connection.h"
#include "kafka/client/scram.h"
#include "kafka/codec/wire.h"

namespace pinflow::kafka {
namespace {

constexpr int16_t kSaslHandshake = 17, kSaslAuthenticate = 36, kVersion = 1;
constexpr int16_t kUnsupportedMechanism = 33, kIllegalState = 34, kAuthenticationFailed = 58;

std::string frame_of(int16_t api, int32_t correlation) {
  std::string frame;
  Writer out(frame);
  out.integer(api);
  out.integer(kVersion);
  out.integer(correlation);
  out.string("pinflow", false);
  return frame;
}

std::string nonce() {
  unsigned char bytes[16];
  RAND_bytes(bytes, sizeof bytes);
  return to_hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

// RFC 7628, as Kafka takes it (KIP-255, KIP-342).
std::string bearer_message(const Token& token) {
  std::string text =
      "n,,\x01"
      "auth=Bearer " +
      token.value;
  for (const auto& [name, value] : token.extensions) text += fmt::format("\x01{}={}", name, value);
  return text + "\x01\x01";
}

}  // namespace

// Of the mechanism asked for: those the listener knows otherwise; empty where the listener knows no SASL.
Result<std::vector<std::string>> BrokerConnection::sasl_mechanisms() {
  std::string frame = frame_of(kSaslHandshake, ++correlation_);
  Writer(frame).string("?", false);
  auto answer = exchange_frame(frame);
  if (!answer) return pass(answer.error());
  Reader in(*answer);
  in.integer<int32_t>();
  std::vector<std::string> mechanisms;
  if (in.integer<int16_t>() != kUnsupportedMechanism) return mechanisms;
  for (int32_t left = in.array(false); left > 0 && in.ok(); --left)
    mechanisms.emplace_back(in.string(false).value_or(""));
  return mechanisms;
}

Result<> BrokerConnection::authenticate(const std::string& bytes, std::string& got) {
  std::string frame = frame_of(kSaslAuthenticate, ++correlation_);
  Writer(frame).bytes(bytes, false);
  auto answer = exchange_frame(frame);
  if (!answer) return pass(answer.error());
  Reader in(*answer);
  in.integer<int32_t>();
  const auto error = in.integer<int16_t>();
  const std::string text(in.string(false).value_or(""));
  got = in.bytes(false).value_or("");
  if (!in.ok()) return invalid("{}: its answer to SaslAuthenticate is none", address_);
  if (error != 0) {
    return fail(Code::denied, "{}: {}", address_,
                !text.empty()                    ? text
                : error == kAuthenticationFailed ? "the login is refused"
                                                 : fmt::format("error {}", error));
  }
  return {};
}

Result<> BrokerConnection::log_in(const ClientConfig& config) {
  const std::string mechanism = config.get("sasl.mechanism"), user = config.get("sasl.username");
  std::string frame = frame_of(kSaslHandshake, ++correlation_);
  Writer(frame).string(mechanism, false);
  auto answer = exchange_frame(frame);
  if (!answer) return pass(answer.error());
  Reader in(*answer);
  in.integer<int32_t>();
  const auto error = in.integer<int16_t>();
  if (error == kUnsupportedMechanism) {
    std::vector<std::string> known;
    for (int32_t left = in.array(false); left > 0 && in.ok(); --left) known.emplace_back(in.string(false).value_or(""));
    return invalid("{}: it does not know sasl.mechanism {}; it knows {}", address_, mechanism, fmt::join(known, ", "));
  }
  if (error == kIllegalState) {
    return invalid("{}: this listener asks nobody to log in: set security.protocol to {}", address_,
                   config.uses_tls() ? "SSL" : "PLAINTEXT");
  }
  if (error != 0) return invalid("{}: its answer to SaslHandshake is error {}", address_, error);
  std::string got;
  if (mechanism == "PLAIN") {
    auto done = authenticate(std::string("\0", 1) + user + std::string("\0", 1) + config.get("sasl.password"), got);
    if (!done) return pass(done.error(), "user '{}', by {}", user, mechanism);
    return done;
  }
  if (mechanism == "OAUTHBEARER") {
    if (!config.tokens) return invalid("sasl.mechanism OAUTHBEARER has no source of tokens");
    auto token = config.tokens->get();
    if (!token) return pass(token.error());
    auto done = authenticate(bearer_message(*token), got);
    // The broker says what is wrong as JSON and waits for an answer before it fails the login (RFC 7628, 3.2.3).
    if (done && !got.empty()) {
      const std::string why = got;
      done = authenticate("\x01", got);
      done = fail(Code::denied, "{}: {}", address_, why);
    }
    if (!done && done.error().code == Code::denied) {
      return fail(Code::denied, "the bearer token is refused: {}; {}", done.error().message,
                  config.msk_iam ? "are these the right AWS keys, does their policy allow kafka-cluster:Connect on "
                                   "this cluster, and does this machine's clock go right?"
                                 : "is it for this cluster, and not over?");
    }
    return done;
  }
  ScramClient scram(mechanism, user, config.get("sasl.password"), nonce());
  if (auto done = authenticate(scram.first(), got); !done)
    return pass(done.error(), "user '{}', by {}", user, mechanism);
  auto final = scram.final(got);
  if (!final) return pass(final.error(), "{}", address_);
  if (auto done = authenticate(*final, got); !done) return pass(done.error(), "user '{}', by {}", user, mechanism);
  if (auto proved = scram.verify(got); !proved) return pass(proved.error(), "{}", address_);
  return {};
}

}  // namespace pinflow::kafka
