#include "kinesis/api/operations.h"

#include <algorithm>
#include <array>

namespace pinflow::kinesis {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
  });
}

bool is_number(std::string_view text, size_t most_digits) {
  if (text == "0") return true;
  return !text.empty() && text.size() <= most_digits && text[0] != '0' && std::ranges::all_of(text, is_digit);
}
bool is_hash_key(std::string_view text) { return is_number(text, 39); }
bool is_sequence_number(std::string_view text) { return is_number(text, 129); }

// arn:aws.*:kinesis:.*:\d{12}:stream/\S+
bool is_stream_arn(std::string_view text) {
  if (!text.starts_with("arn:aws")) return false;
  const size_t service = text.find(":kinesis:");
  const size_t stream = text.find(":stream/");
  if (service == text.npos || stream == text.npos || stream < service + 9 + 13) return false;
  const std::string_view account = text.substr(stream - 12, 12), name = text.substr(stream + 8);
  return text[stream - 13] == ':' && std::ranges::all_of(account, is_digit) && !name.empty() &&
         name.find_first_of(" \t\r\n") == name.npos;
}

// arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+
bool is_resource_arn(std::string_view text) {
  if (!text.starts_with("arn:aws")) return false;
  size_t account = text.find(":kinesis:");
  if (account == text.npos) return false;
  const auto is_account = [&](size_t at) {
    return at + 13 < text.size() && text[at + 13] == ':' && std::ranges::all_of(text.substr(at + 1, 12), is_digit);
  };
  do {
    account = text.find(':', account + 1);
    if (account == text.npos) return false;
  } while (text.substr(0, account + 1).ends_with(":kinesis:") || !is_account(account));
  const std::string_view resource = text.substr(account + 14);
  const auto ends_with_one = [&](std::string_view kind) {  // without a blank behind it
    const size_t blank = resource.find_last_of(" \t\r\n");
    const size_t at = resource.find(kind, blank == resource.npos ? 0 : blank + 1);
    return at != resource.npos && at + kind.size() < resource.size();
  };
  return ends_with_one("stream/") || ends_with_one("channel/") || ends_with_one("queue/");
}

constexpr std::string_view kIteratorTypes[] = {"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST",
                                               "AT_TIMESTAMP"};
constexpr std::string_view kFilterTypes[] = {"AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON",
                                             "AT_LATEST",      "AT_TIMESTAMP",    "FROM_TIMESTAMP"};
constexpr std::string_view kModes[] = {"PROVISIONED", "ON_DEMAND"};
constexpr std::string_view kScalings[] = {"UNIFORM_SCALING"};

const Shape kName{.least = 1, .most = 128, .matches = is_name, .pattern = "[a-zA-Z0-9_.-]+"};
const Shape kArn{
    .least = 1, .most = 2048, .matches = is_stream_arn, .pattern = "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+"};
const Shape kResourceArn{.least = 1,
                         .most = 2048,
                         .matches = is_resource_arn,
                         .pattern = "arn:aws.*:kinesis:.*:\\d{12}:.*(stream|channel|queue)/\\S+"};
const Shape kHashKey{.matches = is_hash_key, .pattern = "0|([1-9]\\d{0,38})"};
const Shape kSequence{.matches = is_sequence_number, .pattern = "0|([1-9]\\d{0,128})"};
const Shape kPartitionKey{.least = 1, .most = 256};
const Shape kData{.type = Type::blob, .least = 0, .most = static_cast<int64_t>(kMaxRecordBytes)};
const Shape kBoolean{.type = Type::boolean};
const Shape kTimestamp{.type = Type::timestamp};
const Shape kPositive{.type = Type::integer, .least = 1};
const Shape kInteger{.type = Type::integer};
const Shape kLimit{.type = Type::integer, .least = 1, .most = 10'000};
const Shape kTagLimit{.type = Type::integer, .least = 1, .most = 50};
const Shape kNextToken{.least = 1, .most = 1 << 20};
const Shape kIterator{.least = 1, .most = 512};
const Shape kIteratorType{.choices = kIteratorTypes};
const Shape kFilterType{.choices = kFilterTypes};
const Shape kMode{.choices = kModes};
const Shape kScaling{.choices = kScalings};
const Shape kTagKey{.least = 1, .most = 128};
const Shape kTagValue{.least = 0, .most = 256};
const Shape kTags{.type = Type::map, .least = 1, .most = 200, .item = &kTagValue, .key = &kTagKey};
const Shape kTagKeys{.type = Type::list, .least = 1, .most = 50, .item = &kTagKey};

const Field kModeFields[] = {{"StreamMode", &kMode, true}};
const Shape kModeDetails{.type = Type::structure, .fields = kModeFields};
const Field kFilterFields[] = {{"Type", &kFilterType, true}, {"ShardId", &kName}, {"Timestamp", &kTimestamp}};
const Shape kFilter{.type = Type::structure, .fields = kFilterFields};
const Field kEntryFields[] = {
    {"PartitionKey", &kPartitionKey, true}, {"ExplicitHashKey", &kHashKey}, {"Data", &kData, true}};
const Shape kEntry{.type = Type::structure, .fields = kEntryFields};
const Shape kEntries{.type = Type::list, .least = 1, .most = 500, .item = &kEntry};

const Field kStreamOnly[] = {{"StreamName", &kName}, {"StreamARN", &kArn}};
const Field kAddTags[] = {{"StreamName", &kName}, {"StreamARN", &kArn}, {"Tags", &kTags, true}};
const Field kCreate[] = {
    {"ShardCount", &kPositive}, {"StreamName", &kName, true}, {"StreamModeDetails", &kModeDetails}, {"Tags", &kTags}};
const Field kRetention[] = {{"RetentionPeriodHours", &kInteger, true}, {"StreamName", &kName}, {"StreamARN", &kArn}};
const Field kDelete[] = {{"StreamName", &kName}, {"StreamARN", &kArn}, {"EnforceConsumerDeletion", &kBoolean}};
const Field kDescribe[] = {
    {"Limit", &kLimit}, {"ExclusiveStartShardId", &kName}, {"StreamName", &kName}, {"StreamARN", &kArn}};
const Field kGetRecords[] = {{"Limit", &kLimit}, {"ShardIterator", &kIterator, true}, {"StreamARN", &kArn}};
const Field kGetIterator[] = {{"ShardId", &kName, true},
                              {"ShardIteratorType", &kIteratorType, true},
                              {"StartingSequenceNumber", &kSequence},
                              {"StreamName", &kName},
                              {"Timestamp", &kTimestamp},
                              {"StreamARN", &kArn}};
const Field kListShards[] = {{"StreamName", &kName},
                             {"NextToken", &kNextToken},
                             {"ExclusiveStartShardId", &kName},
                             {"MaxResults", &kLimit},
                             {"StreamCreationTimestamp", &kTimestamp},
                             {"ShardFilter", &kFilter},
                             {"StreamARN", &kArn}};
const Field kListStreams[] = {{"Limit", &kLimit}, {"ExclusiveStartStreamName", &kName}, {"NextToken", &kNextToken}};
const Field kListTags[] = {
    {"Limit", &kTagLimit}, {"ExclusiveStartTagKey", &kTagKey}, {"StreamName", &kName}, {"StreamARN", &kArn}};
const Field kResourceOnly[] = {{"ResourceARN", &kResourceArn, true}};
const Field kMerge[] = {{"ShardToMerge", &kName, true},
                        {"AdjacentShardToMerge", &kName, true},
                        {"StreamName", &kName},
                        {"StreamARN", &kArn}};
const Field kPut[] = {{"SequenceNumberForOrdering", &kSequence},
                      {"PartitionKey", &kPartitionKey, true},
                      {"ExplicitHashKey", &kHashKey},
                      {"Data", &kData, true},
                      {"StreamName", &kName},
                      {"StreamARN", &kArn}};
const Field kPuts[] = {{"Records", &kEntries, true}, {"StreamName", &kName}, {"StreamARN", &kArn}};
const Field kRemoveTags[] = {{"TagKeys", &kTagKeys, true}, {"StreamName", &kName}, {"StreamARN", &kArn}};
const Field kSplit[] = {{"NewStartingHashKey", &kHashKey, true},
                        {"ShardToSplit", &kName, true},
                        {"StreamName", &kName},
                        {"StreamARN", &kArn}};
const Field kTagResource[] = {{"Tags", &kTags, true}, {"ResourceARN", &kResourceArn, true}};
const Field kUntagResource[] = {{"TagKeys", &kTagKeys, true}, {"ResourceARN", &kResourceArn, true}};
const Field kUpdateCount[] = {{"TargetShardCount", &kPositive, true},
                              {"ScalingType", &kScaling, true},
                              {"StreamName", &kName},
                              {"StreamARN", &kArn}};
const Field kUpdateMode[] = {{"StreamARN", &kArn, true}, {"StreamModeDetails", &kModeDetails, true}};

const OperationShape kOperations[] = {
    {Operation::add_tags_to_stream, "AddTagsToStream", kAddTags},
    {Operation::create_stream, "CreateStream", kCreate},
    {Operation::decrease_stream_retention_period, "DecreaseStreamRetentionPeriod", kRetention},
    {Operation::delete_stream, "DeleteStream", kDelete},
    {Operation::describe_account_settings, "DescribeAccountSettings", {}},
    {Operation::describe_limits, "DescribeLimits", {}},
    {Operation::describe_stream, "DescribeStream", kDescribe},
    {Operation::describe_stream_summary, "DescribeStreamSummary", kStreamOnly},
    {Operation::get_records, "GetRecords", kGetRecords},
    {Operation::get_shard_iterator, "GetShardIterator", kGetIterator},
    {Operation::increase_stream_retention_period, "IncreaseStreamRetentionPeriod", kRetention},
    {Operation::list_shards, "ListShards", kListShards},
    {Operation::list_streams, "ListStreams", kListStreams},
    {Operation::list_tags_for_resource, "ListTagsForResource", kResourceOnly},
    {Operation::list_tags_for_stream, "ListTagsForStream", kListTags},
    {Operation::merge_shards, "MergeShards", kMerge},
    {Operation::put_record, "PutRecord", kPut},
    {Operation::put_records, "PutRecords", kPuts},
    {Operation::remove_tags_from_stream, "RemoveTagsFromStream", kRemoveTags},
    {Operation::split_shard, "SplitShard", kSplit},
    {Operation::tag_resource, "TagResource", kTagResource},
    {Operation::untag_resource, "UntagResource", kUntagResource},
    {Operation::update_shard_count, "UpdateShardCount", kUpdateCount},
    {Operation::update_stream_mode, "UpdateStreamMode", kUpdateMode},
};

}  // namespace

const OperationShape* find_operation(std::string_view target) {
  constexpr std::string_view kPrefix = "Kinesis_20131202.";
  if (!target.starts_with(kPrefix)) return nullptr;
  const auto found = std::ranges::find(kOperations, target.substr(kPrefix.size()), &OperationShape::name);
  return found == std::end(kOperations) ? nullptr : found;
}

}  // namespace pinflow::kinesis
