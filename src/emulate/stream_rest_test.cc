#include "emulate/stream_rest.h"

#include <gtest/gtest.h>

namespace pinflow::emulate {
namespace {

TEST(StreamRest, MakesTheCoursesRequests) {
  const std::string record = stream_record(R"({"index":7,"x":"a,\"partition-key\":"})", R"(k"1)");
  EXPECT_EQ(record, R"({"data":{"index":7,"x":"a,\"partition-key\":"},"partition-key":"k\"1"})");
  EXPECT_EQ(put_record_body("s", record),
            R"({"StreamName":"s","Data":{"index":7,"x":"a,\"partition-key\":"},"PartitionKey":"k\"1"})");
  EXPECT_EQ(put_records_body("s", {stream_record("{}", "1"), stream_record("{}", "2")}),
            R"({"StreamName":"s","records":[{"data":{},"partition-key":"1"},{"data":{},"partition-key":"2"}]})");
}

TEST(StreamRest, FindsAFieldsText) {
  EXPECT_EQ(field_text(R"({"a":{"index":1},"index":7528})", "index"), "7528");
  EXPECT_EQ(field_text(R"({"index":"x y"})", "index"), "x y");
  EXPECT_EQ(field_text(R"({"index":1.50})", "index"), "1.5");
  EXPECT_EQ(field_text(R"({"ind":1})", "index"), "0");
}

TEST(StreamRest, ReadsAnswers) {
  const auto fate = [](int status, std::string_view body) {
    return read_stream_answer(status, body, 1).records[0].fate;
  };
  EXPECT_EQ(fate(200, R"({"SequenceNumber":"1","ShardId":"s"})"), Fate::stored);
  EXPECT_EQ(fate(200, R"({"EncryptionType":"NONE","SequenceNumber":"1","ShardId":"s"})"), Fate::stored);
  EXPECT_EQ(fate(200, "{}"), Fate::refused);
  EXPECT_EQ(fate(200, "null"), Fate::refused);
  EXPECT_EQ(fate(200, R"({"__type":"ProvisionedThroughputExceededException","message":"m"})"), Fate::again);
  EXPECT_EQ(fate(400, R"({"__type":"ProvisionedThroughputExceededException","message":"m"})"), Fate::again);
  EXPECT_EQ(fate(400, R"({"__type":"com.amazonaws#LimitExceededException","message":"m"})"), Fate::again);
  EXPECT_EQ(fate(400, R"({"__type":"ResourceNotFoundException","message":"m"})"), Fate::refused);
  EXPECT_EQ(fate(500, R"({"__type":"InternalFailure","message":"m"})"), Fate::unclear);
  EXPECT_EQ(fate(504, R"({"message":"Endpoint request timed out"})"), Fate::unclear);
  EXPECT_EQ(fate(503, "busy"), Fate::unclear);
  EXPECT_EQ(fate(429, R"({"message":"Too Many Requests"})"), Fate::again);
  EXPECT_EQ(fate(403, R"({"message":"Missing Authentication Token"})"), Fate::refused);

  const auto several =
      read_stream_answer(200,
                         R"({"FailedRecordCount":2,"Records":[{"SequenceNumber":"1","ShardId":"s"},)"
                         R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"slow"},)"
                         R"({"ErrorCode":"InternalFailure","ErrorMessage":"x"}]})",
                         3);
  EXPECT_EQ(several.records[0].fate, Fate::stored);
  EXPECT_EQ(several.records[1].fate, Fate::again);
  EXPECT_EQ(several.records[2].fate, Fate::unclear);
  EXPECT_FALSE(several.whole);
  EXPECT_EQ(read_stream_answer(200, R"({"Records":[]})", 2).records[1].fate, Fate::refused);
  EXPECT_TRUE(read_stream_answer(400, R"({"__type":"ValidationException"})", 2).whole);
}

}  // namespace
}  // namespace pinflow::emulate
