#include <fmt/format.h>

#include "app/doctor_services.h"
#include "app/kinesis_endpoint.h"
#include "aws/default_credentials.h"
#include "aws/shared_config.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/json.h"
#include "kafka/client/msk_token.h"
#include "kinesis/client/client.h"

namespace pinflow::app {
namespace {

std::string setting(const Context& context, const char* name) {
  const auto found = context.pipeline.settings.find(name);
  return found == context.pipeline.settings.end() ? "" : found->second;
}

// A hash key beyond the largest: every Kinesis refuses the put, but only of who may put at all.
constexpr std::string_view kHashKeyTooLarge = "340282366920938463463374607431768211456";

// Whether records may be put, and read; what is wrong with it, empty: nothing.
std::string fault_of(kinesis::Client& client, const std::string& stream) {
  auto shards = client.list_shards(stream);
  if (!shards) return shards.error().message + "; allow kinesis:ListShards";
  if (shards->empty()) return "it has no shards";
  const auto ask = [&](std::string operation, const JsonWriter& json) -> Result<kinesis::Reply> {
    auto outcome = client.call(std::move(operation), json.text());
    return std::move(outcome.reply);
  };
  JsonWriter iterator;
  iterator.begin_object().key("StreamName").string(stream).key("ShardId").string(shards->front().id);
  iterator.key("ShardIteratorType").string("LATEST").end_object();
  auto read = ask("GetShardIterator", iterator);
  if (!read) return read.error().message;
  if (!read->ok()) return read->error("reading").message + "; allow kinesis:GetShardIterator and kinesis:GetRecords";
  JsonWriter put;
  put.begin_object().key("StreamName").string(stream).key("Data").string("").key("PartitionKey").string("doctor");
  put.key("ExplicitHashKey").string(kHashKeyTooLarge).end_object();
  auto refused = ask("PutRecord", put);
  if (!refused) return refused.error().message;
  if (refused->type != "InvalidArgumentException" && refused->type != "ValidationException") {
    return refused->error("putting").message + "; allow kinesis:PutRecord and kinesis:PutRecords";
  }
  return "";
}

}  // namespace

void examine_keys(const Context& context, bool lake_in_s3, Findings& findings) {
  const std::string profile = setting(context, "aws.profile");
  const auto environment = aws::Environment::of_this_process();
  auto config = aws::SharedConfig::read(environment);
  if (!config) return findings.bad("keys", config.error().message);
  const auto provider = aws::default_credentials({.profile = profile});
  const auto credentials = provider->get();
  if (!credentials) return findings.bad("keys", credentials.error().message);
  const std::string found = fmt::format("{} of {}", credentials->access_key_id, provider->from());
  // Keys of another maker's S3 mean nothing to AWS.
  const auto sts = aws::configured_endpoint(environment, *config, "STS", profile);
  const bool other_s3 = !lake_in_s3 || !setting(context, "s3.endpoint").empty() ||
                        aws::configured_endpoint(environment, *config, "S3", profile);
  bool other_kinesis = true;
  if (names_a_kinesis(context)) {
    auto endpoint = named_kinesis(context);
    other_kinesis = !endpoint || !(*endpoint)->is_aws();
  }
  const auto msk = msk_of(context);
  const bool other_kafka = !msk || kafka::msk_region(msk->bootstrap_servers).empty();
  if (!sts && other_s3 && other_kinesis && other_kafka) return findings.well("keys", found);
  const std::string region = aws::configured_region(environment, *config, profile).value_or("us-east-1");
  auto who = aws::caller_identity(aws::sts_endpoint(region, sts.value_or("")), *credentials, now_ms());
  if (!who) return findings.bad("keys", fmt::format("{}: {}", found, who.error().message));
  findings.well("keys", fmt::format("{}: {}", found, who->arn));
}

void examine_kinesis(const Context& context, Findings& findings) {
  auto endpoint = named_kinesis(context, kDoctorsAttempts, kDoctorsTimeoutMs);
  if (!endpoint) return findings.bad("kinesis", endpoint.error().message);
  kinesis::Client client(*endpoint);
  bool reached = false;
  for (const pipeline::RecordType& record : context.pipeline.records) {
    auto stream = client.describe(record.stream);
    if (!stream && stream.error().code != Code::not_found && !reached) {
      return findings.bad("kinesis", stream.error(), "--kinesis-endpoint, kinesis.endpoint");
    }
    if (!reached)
      findings.well("kinesis", fmt::format("{}, region {}", (*endpoint)->url(), (*endpoint)->options().region));
    reached = true;
    if (!stream && stream.error().code == Code::not_found) {
      const bool aws = (*endpoint)->is_aws();
      const std::string text =
          fmt::format("{} is not there; {}", record.stream,
                      aws ? "make it: aws kinesis create-stream --stream-name " + record.stream + " --shard-count 1"
                          : "`run` and `up` make it");
      if (aws) findings.bad("stream", text);
      else findings.well("stream", text);
    } else if (!stream) {
      findings.bad("stream", fmt::format("{}: {}", record.stream, stream.error().message));
    } else if (stream->status != "ACTIVE") {
      findings.bad("stream", fmt::format("{} is {}; wait until it is ACTIVE", record.stream, stream->status));
    } else if (const std::string fault = fault_of(client, record.stream); !fault.empty()) {
      findings.bad("stream", fmt::format("{}: {}", record.stream, fault));
    } else {
      findings.well("stream",
                    fmt::format("{} is there, may be read and written; {} shard{}, kept {} hours", record.stream,
                                stream->open_shards, stream->open_shards == 1 ? "" : "s", stream->retention_hours));
    }
  }
}

}  // namespace pinflow::app
