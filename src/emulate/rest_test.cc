#include "emulate/rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulate/backoff.h"

namespace pinflow::emulate {
namespace {

using testing::HasSubstr;

TEST(Rest, MakesRequests) {
  EXPECT_EQ(request_body({R"({"a":1})"}), R"({"records":[{"value":{"a":1}}]})");
  EXPECT_EQ(request_body({"1", "2"}), R"({"records":[{"value":1},{"value":2}]})");
}

TEST(Rest, ReadsEachRecordsFate) {
  auto answer = read_answer(200, R"({"offsets":[{"partition":0,"offset":7,"error_code":null,"error":null},
      {"partition":0,"offset":8},{"error_code":50002,"error":"too large"},{"error_code":50003,"error":"busy"},
      {"error_code":2,"error":"busy"},{"error_code":429,"error":"slow"},{"error_code":40403,"error":"no topic"}],
      "key_schema_id":null,"value_schema_id":null})",
                            7);
  ASSERT_EQ(answer.records.size(), 7u);
  const std::vector<Fate> expected = {Fate::stored,  Fate::stored, Fate::refused, Fate::unclear,
                                      Fate::unclear, Fate::again,  Fate::refused};
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(answer.records[i].fate, expected[i]) << i;
  EXPECT_EQ(answer.records[2].reason, "50002: too large");
  EXPECT_FALSE(answer.whole);
}

TEST(Rest, TakesNoOtherAnswerForAnAcknowledgement) {
  for (const char* body :
       {"", "{}", "null", R"({"offsets":[]})", R"({"offsets":[1]})", R"({"offsets":{}})", "{\"offsets\":[{}",
        R"({"offsets":[{"offset":1},{"offset":2}]})", R"({"offsets":[{"error_code":"x"}]})"}) {
    auto answer = read_answer(200, body, 1);
    ASSERT_EQ(answer.records.size(), 1u) << body;
    EXPECT_EQ(answer.records[0].fate, Fate::refused) << body;
    EXPECT_FALSE(answer.records[0].reason.empty());
  }
}

TEST(Rest, KnowsTheStatuses) {
  EXPECT_EQ(read_answer(429, "", 2).records[1].fate, Fate::again);
  EXPECT_EQ(read_answer(408, "", 1).records[0].fate, Fate::again);
  for (const int status : {500, 502, 503, 504}) EXPECT_EQ(read_answer(status, "", 1).records[0].fate, Fate::unclear);
  for (const int status : {301, 400, 401, 403, 404, 413, 415, 422}) {
    auto answer = read_answer(status, R"({"error_code":1,"message":"why"})", 3);
    ASSERT_EQ(answer.records.size(), 3u);
    EXPECT_EQ(answer.records[2].fate, Fate::refused);
    EXPECT_TRUE(answer.whole);
    EXPECT_THAT(answer.records[0].reason, HasSubstr("why"));
  }
  EXPECT_LT(read_answer(400, std::string(100'000, 'x'), 1).records[0].reason.size(), 400u);
}

TEST(Backoff, GrowsToItsBound) {
  const Backoff backoff;
  const uint64_t most = UINT64_MAX;
  EXPECT_EQ(backoff.before(1, 0, {}).count(), 0);
  for (int tries = 1; tries < 100; ++tries) {
    for (const uint64_t random : {uint64_t{0}, uint64_t{12345}, most}) {
      const auto wait = backoff.before(tries, random, {});
      EXPECT_GE(wait.count(), 0);
      EXPECT_LE(wait, std::min(backoff.most, backoff.first * (int64_t{1} << std::min(tries - 1, 20))));
    }
  }
  EXPECT_EQ(backoff.before(1, 20, {}).count(), 20);
  EXPECT_EQ(backoff.before(50, 2000, {}).count(), 2000);
}

TEST(Backoff, HonoursRetryAfter) {
  EXPECT_GE(Backoff{}.before(1, 0, retry_after("3")), std::chrono::seconds(3));
  EXPECT_EQ(retry_after("0"), std::chrono::seconds(0));
  EXPECT_EQ(retry_after("999999"), std::chrono::seconds(3600));
  for (const char* other : {"", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "1.5", "x"})
    EXPECT_FALSE(retry_after(other)) << other;
}

}  // namespace
}  // namespace pinflow::emulate
