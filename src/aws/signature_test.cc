// Expected values were computed with Python's hmac and hashlib from the steps that AWS publishes; AWS's own vectors and
// signers are asked in tests/strangers/aws.
#include "aws/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/digest.h"
#include "aws/verify.h"

namespace pinflow::aws {
namespace {

using testing::HasSubstr;

constexpr int64_t kNow = 1'604'883'167'000;  // 2020-11-09T00:52:47Z
const Credentials kKeys{"AKIDTEST", "a secret/with+signs", "", {}};

http::Request wire(const SignedRequest& request, const std::vector<http::HeaderField>& added, std::string body) {
  http::Request made{request.method, wire_target(request), request.headers, std::move(body)};
  made.headers.push_back({"Host", request.host});
  for (const auto& field : added) made.headers.push_back(field);
  return made;
}

Verifier verifier(std::string service, std::string region = "eu-west-1") {
  return Verifier({region, service}, [](const std::string& id) -> std::optional<std::string> {
    if (id != kKeys.access_key_id) return std::nullopt;
    return kKeys.secret_access_key;
  });
}

TEST(Signature, EncodesAsAwsDoes) {
  EXPECT_EQ(percent_encode("a b/c~d-e_f.g+h%é", true), "a%20b/c~d-e_f.g%2Bh%25%C3%A9");
  EXPECT_EQ(percent_encode("a/b", false), "a%2Fb");
  EXPECT_EQ(percent_decode("a%20b%2fc%zz%4"), "a b/c%zz%4");
  EXPECT_EQ(amz_date(kNow), "20201109T005247Z");
  EXPECT_EQ(parse_amz_date("20201109T005247Z"), kNow / 1000 * 1000);
  EXPECT_EQ(parse_amz_date("20201109T005247"), std::nullopt);
  EXPECT_EQ(parse_amz_date("20201309T005247Z"), std::nullopt);
}

TEST(Signature, CanonicalPaths) {
  const std::vector<http::HeaderField> none;
  const auto path_of = [&](std::string_view path, PathRule rule) {
    const std::string all = canonical_request({"GET", path, "", &none}, rule, "", "x");
    return all.substr(4, all.find('\n', 4) - 4);
  };
  EXPECT_EQ(path_of("/a/./b/../c//d/", PathRule::twice), "/a/c/d/");
  EXPECT_EQ(path_of("/..", PathRule::twice), "/");
  EXPECT_EQ(path_of("/a%20b", PathRule::twice), "/a%2520b");
  EXPECT_EQ(path_of("/a%20b//./c", PathRule::once), "/a%20b//./c");
  EXPECT_EQ(path_of("", PathRule::once), "/");
}

TEST(Signature, SignsWhatItsOwnVerifierTakes) {
  for (const char* service : {"s3", "kinesis"}) {
    SignedRequest request{"PUT", "host.example:7070", "/a b/ü+'()*", {{"z", "2"}, {"a", "x y&="}, {"empty", ""}}, {},
                          {}};
    request.headers = {{"Content-Type", "text/plain"}, {"X-Two", "  many   blanks "}};
    request.payload_sha256 = sha256_hex("body");
    const auto added = sign(request, {"eu-west-1", service}, kKeys, kNow);
    auto received = wire(request, added, "body");
    auto checks = verifier(service);
    auto caller = checks.verify(received, kNow + 1000);
    ASSERT_TRUE(caller) << caller.error().message;
    EXPECT_EQ(caller->access_key_id, "AKIDTEST");

    received.body = "other";
    EXPECT_EQ(checks.verify(received, kNow).error().problem, AuthProblem::wrong_signature);
    received.body = "body";
    received.target += "&more=1";
    EXPECT_EQ(checks.verify(received, kNow).error().problem, AuthProblem::wrong_signature);
  }
}

TEST(Signature, Presigns) {
  const SignedRequest request{"GET", "bucket.example", "/a b.json", {{"x", "1"}}, {}, std::string(kUnsignedPayload)};
  const std::string target = presign(request, {"eu-west-1", "s3"}, kKeys, kNow, 60);
  const http::Request received{"GET", target, {{"host", "bucket.example"}}, ""};
  auto checks = verifier("s3");
  EXPECT_TRUE(checks.verify(received, kNow + 59'000));
  EXPECT_EQ(checks.verify(received, kNow + 61'000).error().problem, AuthProblem::expired);
  EXPECT_THAT(target, HasSubstr("X-Amz-Credential=AKIDTEST%2F20201109%2Feu-west-1%2Fs3%2Faws4_request"));
}

TEST(Signature, SaysWhatIsWrong) {
  SignedRequest request{"POST", "host", "/", {}, {}, sha256_hex("{}")};
  const auto added = sign(request, {"eu-west-1", "kinesis"}, kKeys, kNow);
  const auto good = wire(request, added, "{}");
  auto checks = verifier("kinesis");
  const auto problem = [&](const http::Request& received, int64_t now = kNow) {
    auto caller = checks.verify(received, now);
    return caller ? AuthProblem{-1} : caller.error().problem;
  };
  EXPECT_EQ(problem(good), AuthProblem{-1});
  EXPECT_EQ(problem({"POST", "/", {{"host", "host"}}, "{}"}), AuthProblem::missing);
  EXPECT_EQ(problem(good, kNow + 6 * 60'000), AuthProblem::expired);
  EXPECT_EQ(problem(good, kNow - 6 * 60'000), AuthProblem::expired);
  const auto to_s3 = wire(request, sign(request, {"eu-west-1", "s3"}, kKeys, kNow), "{}");
  auto checks_s3 = verifier("s3");
  EXPECT_TRUE(checks_s3.verify(to_s3, kNow + 14 * 60'000));
  EXPECT_EQ(checks_s3.verify(to_s3, kNow + 16 * 60'000).error().problem, AuthProblem::expired);
  EXPECT_EQ(checks_s3.verify(to_s3, kNow - 16 * 60'000).error().problem, AuthProblem::expired);
  auto other = good;
  other.headers.back().value = "AWS4-HMAC-SHA256 Credential=AKIDTEST/20201109/eu-west-1/kinesis/aws4_request";
  EXPECT_EQ(problem(other), AuthProblem::incomplete);
  EXPECT_THAT(checks.verify(other, kNow).error().message,
              HasSubstr("Authorization header requires 'Signature' parameter. Authorization header requires "
                        "'SignedHeaders' parameter."));
  other.headers.back().value = "Basic abc";
  EXPECT_EQ(problem(other), AuthProblem::incomplete);
  auto elsewhere = verifier("kinesis", "us-east-1");
  EXPECT_EQ(elsewhere.verify(good, kNow).error().problem, AuthProblem::wrong_signature);
  Credentials stranger = kKeys;
  stranger.access_key_id = "AKIDOTHER";
  EXPECT_EQ(problem(wire(request, sign(request, {"eu-west-1", "kinesis"}, stranger, kNow), "{}")),
            AuthProblem::unknown_key);
  stranger = kKeys;
  stranger.secret_access_key = "wrong";
  EXPECT_EQ(problem(wire(request, sign(request, {"eu-west-1", "kinesis"}, stranger, kNow), "{}")),
            AuthProblem::wrong_signature);
}

TEST(Signature, ATokenIsSigned) {
  Credentials lent = kKeys;
  lent.session_token = "token==";
  SignedRequest request{"POST", "host", "/", {}, {}, sha256_hex("")};
  auto received = wire(request, sign(request, {"eu-west-1", "kinesis"}, lent, kNow), "");
  EXPECT_EQ(received.header("x-amz-security-token"), "token==");
  auto checks = verifier("kinesis");
  EXPECT_TRUE(checks.verify(received, kNow));
  for (auto& field : received.headers)
    if (field.name == "x-amz-security-token") field.value = "another";
  EXPECT_FALSE(checks.verify(received, kNow));
}

TEST(Signature, KeysAreKeptByAllThatMakesThem) {
  SigningKeys keys;
  for (int round = 0; round < 2; ++round)
    for (const char* region : {"a", "b"})
      for (const char* date : {"20200101T000000Z", "20200102T000000Z"})
        EXPECT_EQ(keys.get("s", {region, "s3"}, date), signing_key("s", {region, "s3"}, date));
  for (size_t i = 0; i < 3 * SigningKeys::kMost; ++i) keys.get(fmt::format("{}", i), {"a", "s3"}, "20200101T000000Z");
  EXPECT_EQ(keys.get("s", {"a", "s3"}, "20200101T000000Z"), signing_key("s", {"a", "s3"}, "20200101T000000Z"));
}

}  // namespace
}  // namespace pinflow::aws
