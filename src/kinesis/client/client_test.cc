#include "kinesis/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "kinesis/client/answers.h"
#include "kinesis/client/scripted_service_test.h"

namespace pinflow::kinesis {
namespace {

using testing::HasSubstr;
using Fault = ScriptedService::Fault;

// The first `times` calls of any operation fail so.
auto first(int times, Fault fault) {
  return
      [times, fault](const std::string&, int number) { return number < times ? std::optional(fault) : std::nullopt; };
}

TEST(Endpoint, KnowsAwsAndOthers) {
  const auto keys = std::shared_ptr<aws::CredentialsProvider>(aws::fixed_credentials({}));
  const auto of_region = *Endpoint::create({.region = "eu-west-1"}, keys);
  EXPECT_EQ(of_region->url(), "https://kinesis.eu-west-1.amazonaws.com");
  EXPECT_TRUE(of_region->is_aws());
  EXPECT_EQ((*Endpoint::create({.region = "cn-north-1"}, keys))->url(), "https://kinesis.cn-north-1.amazonaws.com.cn");
  const auto other = *Endpoint::create({.url = "http://127.0.0.1:4567/"}, keys);
  EXPECT_EQ(other->url(), "http://127.0.0.1:4567");
  EXPECT_FALSE(other->is_aws());
  for (const char* url : {"127.0.0.1:4567", "ftp://x", "http://", "http://a/b", "http://u@h"})
    EXPECT_EQ(Endpoint::create({.url = url}, keys).error().code, Code::invalid) << url;
}

TEST(Client, SignsItsCalls) {
  ScriptedService service;
  Client client(service.endpoint({.region = "eu-west-1"}));
  ASSERT_TRUE(client.call("ListStreams", "{}").reply->ok());
  const std::string head = service.heads().at(0);
  EXPECT_THAT(head, HasSubstr("Credential=id/"));
  EXPECT_THAT(head,
              HasSubstr("/eu-west-1/kinesis/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target"));
  EXPECT_THAT(head, HasSubstr("x-amz-target: Kinesis_20131202.ListStreams"));
}

TEST(Client, TriesAgainWhatPasses) {
  for (const Fault& fault : {Fault{400, "ProvisionedThroughputExceededException"}, Fault{400, "LimitExceededException"},
                             Fault{500, "InternalFailure"}, Fault{503, ""}, Fault{.type = "", .cut = true}}) {
    ScriptedService service;
    service.fault = first(3, fault);
    const auto outcome = Client(service.endpoint()).call("ListStreams", "{}");
    ASSERT_TRUE(outcome.reply) << fault.type;
    EXPECT_TRUE(outcome.reply->ok()) << fault.type;
    EXPECT_EQ(service.asked("ListStreams"), 4);
    EXPECT_EQ(outcome.reply->maybe_done_before, fault.cut || fault.status >= 500) << fault.type;
  }
}

TEST(Client, HandsOnWhatDoesNotPass) {
  ScriptedService service;
  service.fault = first(100, {400, "com.amazonaws.kinesis#ResourceNotFoundException", "no stream"});
  Client client(service.endpoint());
  const auto outcome = client.call("PutRecord", "{}");
  ASSERT_TRUE(outcome.reply);
  EXPECT_EQ(outcome.reply->status, 400);
  EXPECT_EQ(outcome.reply->type, "ResourceNotFoundException");
  EXPECT_EQ(outcome.reply->message, "no stream");
  EXPECT_THAT(outcome.reply->body, HasSubstr("com.amazonaws.kinesis#"));
  EXPECT_EQ(service.asked("PutRecord"), 1);
  const auto described = client.describe("x");
  EXPECT_EQ(described.error().code, Code::not_found);
  EXPECT_THAT(described.error().message, HasSubstr("DescribeStreamSummary of stream x: 400 ResourceNotFoundException"));
}

TEST(Client, SendsOnceWhatMayDoHarmTwice) {
  ScriptedService service;
  service.fault = first(100, {.type = "", .cut = true});
  const auto outcome = Client(service.endpoint()).call("PutRecord", "{}", Retry::never);
  ASSERT_FALSE(outcome.reply);
  EXPECT_EQ(outcome.reply.error().code, Code::unavailable);
  EXPECT_TRUE(outcome.sent);
  EXPECT_EQ(service.asked("PutRecord"), 1);
}

TEST(Client, GivesUpAfterItsAttempts) {
  ScriptedService service;
  service.fault = first(100, {400, "LimitExceededException", "slow down"});
  Client client(service.endpoint({.attempts = 3}));
  EXPECT_EQ(client.describe("x").error().code, Code::full);
  EXPECT_EQ(service.asked("DescribeStreamSummary"), 3);

  auto nobody = *Endpoint::create({.url = "http://127.0.0.1:1", .attempts = 2, .backoff = std::chrono::milliseconds(1)},
                                  aws::fixed_credentials({.access_key_id = "a", .secret_access_key = "b"}));
  const auto outcome = Client(nobody).call("ListStreams", "{}", Retry::never);
  EXPECT_EQ(outcome.reply.error().code, Code::unavailable);
  EXPECT_FALSE(outcome.sent);
}

TEST(Client, SetsItsClockByTheServices) {
  ScriptedService service;
  service.fault = first(
      1, {400, "InvalidSignatureException", "Signature expired: 20261121T080000Z is now earlier than 20261121T100000Z",
          "Date: Mon, 01 Jan 2035 00:00:30 GMT\r\n"});
  Client client(service.endpoint());
  ASSERT_TRUE(client.call("ListStreams", "{}", Retry::never).reply->ok());
  const auto heads = service.heads();
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_THAT(heads[1], HasSubstr("x-amz-date: 20350101T0000"));
  // The words tell it better than a Date that was written before the service's clock was set.
  service.fault =
      first(1, {400, "InvalidSignatureException",
                "Signature expired: 20350101T000000Z is now earlier than 20360202T000000Z (20360202T000500Z - 5 min.)",
                "Date: Mon, 01 Jan 2035 00:00:30 GMT\r\n"});
  ASSERT_TRUE(client.call("DescribeLimits", "{}", Retry::never).reply->ok());
  EXPECT_THAT(service.heads().back(), HasSubstr("x-amz-date: 20360202T0005"));
  // Only once: a signature that is wrong all the same is the user's to mend.
  service.fault = first(
      100, {400, "InvalidSignatureException", "Signature not yet current", "Date: Mon, 01 Jan 2035 00:00:30 GMT\r\n"});
  const auto outcome = client.call("PutRecord", "{}");
  EXPECT_EQ(outcome.reply->error("x").code, Code::denied);
  EXPECT_EQ(service.asked("PutRecord"), 2);
}

class Renewing final : public aws::CredentialsProvider {
 public:
  Result<aws::Credentials> get() override { return aws::Credentials{fmt::format("id{}", renewed), "secret", "", {}}; }
  void forget() override { ++renewed; }
  std::string from() const override { return "a test"; }
  int renewed = 0;
};

TEST(Client, RenewsCredentialsThatHaveEnded) {
  ScriptedService service;
  service.fault = first(1, {400, "ExpiredTokenException"});
  auto keys = std::make_shared<Renewing>();
  Client client(*Endpoint::create({.url = service.endpoint()->url()}, keys));
  ASSERT_TRUE(client.call("ListStreams", "{}").reply->ok());
  EXPECT_THAT(service.heads().at(1), HasSubstr("Credential=id1/"));
}

class NoKeys final : public aws::CredentialsProvider {
 public:
  Result<aws::Credentials> get() override { return fail(Code::denied, "no keys were found"); }
  std::string from() const override { return "nowhere"; }
};

TEST(Client, SaysThatThereAreNoKeys) {
  Client client(*Endpoint::create({.url = "http://127.0.0.1:1"}, std::make_shared<NoKeys>()));
  const auto outcome = client.call("ListStreams", "{}");
  EXPECT_EQ(outcome.reply.error().code, Code::denied);
  EXPECT_FALSE(outcome.sent);
}

TEST(Answers, AreRead) {
  const auto page = parse_shards(
      R"({"NextToken":"t","Shards":[{"ShardId":"b","ParentShardId":"a","AdjacentParentShardId":"c","HashKeyRange":)"
      R"({"StartingHashKey":"0","EndingHashKey":"9"},"SequenceNumberRange":{"StartingSequenceNumber":"1","EndingSequenceNumber":"2"}}]})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->next_token, "t");
  EXPECT_EQ(page->shards[0].parent, "a");
  EXPECT_EQ(page->shards[0].adjacent, "c");
  EXPECT_TRUE(page->shards[0].closed);
  EXPECT_EQ(list_shards_body("s", ""), R"({"StreamName":"s"})");
  EXPECT_EQ(list_shards_body("s", "t"), R"({"NextToken":"t"})");
  const auto slots =
      parse_put_slots(R"({"Records":[{"SequenceNumber":"1","ShardId":"s"},{"ErrorCode":"E","ErrorMessage":"m"}]})", 2);
  ASSERT_TRUE(slots);
  EXPECT_TRUE((*slots)[0].ok());
  EXPECT_EQ((*slots)[1].error_code, "E");
  EXPECT_FALSE(parse_put_slots(R"({"Records":[]})", 1));
  EXPECT_FALSE(parse_put_slots(R"({"Records":[{}]})", 1));
  EXPECT_EQ(put_records_body("s", std::vector<RecordToPut>{{"{}", "k\"", "5"}}),
            R"({"StreamName":"s","Records":[{"Data":"e30=","PartitionKey":"k\"","ExplicitHashKey":"5"}]})");
}

}  // namespace
}  // namespace pinflow::kinesis
