// The operations that are served, and what their requests may hold. Pure.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "kinesis/api/shape.h"

namespace pinflow::kinesis {

enum class Operation {
  add_tags_to_stream,
  create_stream,
  decrease_stream_retention_period,
  delete_stream,
  describe_account_settings,
  describe_limits,
  describe_stream,
  describe_stream_summary,
  get_records,
  get_shard_iterator,
  increase_stream_retention_period,
  list_shards,
  list_streams,
  list_tags_for_resource,
  list_tags_for_stream,
  merge_shards,
  put_record,
  put_records,
  remove_tags_from_stream,
  split_shard,
  tag_resource,
  untag_resource,
  update_shard_count,
  update_stream_mode,
};

struct OperationShape {
  Operation operation;
  std::string_view name;  // "PutRecord"
  std::span<const Field> fields;
};

// By the name in X-Amz-Target: "Kinesis_20131202.PutRecord". Null where it is none of them.
const OperationShape* find_operation(std::string_view target);

inline constexpr size_t kMaxRecordBytes = 1 << 20;       // data and partition key
inline constexpr size_t kMaxPutRecordsBytes = 10 << 20;  // of all records of a request

}  // namespace pinflow::kinesis
