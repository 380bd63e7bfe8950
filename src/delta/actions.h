// The actions of the Delta log, one JSON object a line of a commit file (PROTOCOL.md, "Actions"). Pure.
// Actions and fields that are not known are passed over when read, as the protocol asks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "delta/schema.h"

namespace pinflow::delta {

struct Protocol {
  int min_reader = 1;
  int min_writer = 2;
  std::vector<std::string> reader_features;  // only with min_reader 3
  std::vector<std::string> writer_features;  // only with min_writer 7

  bool operator==(const Protocol&) const = default;
};

struct Metadata {
  std::string id;  // the table's, a UUID
  std::string name;
  std::string description;
  std::string provider = "parquet";  // of the format
  std::string schema_json;
  std::vector<std::string> partition_columns;
  std::optional<int64_t> created_ms;
  std::map<std::string, std::string> configuration;

  bool operator==(const Metadata&) const = default;
};

// `add`: one data file of the table.
struct DataFile {
  std::string path;  // from the table's folder, decoded: "part-00000-….parquet"
  int64_t size = 0;  // bytes
  int64_t modification_ms = 0;
  int64_t records = -1;    // numRecords of the stats; -1 where they are missing
  std::string stats_json;  // empty where there are none
  bool data_change = true;
  std::string partition_values = "{}";  // JSON object
  std::string tags;                     // JSON object; empty where there are none
  uint32_t held_against = 0;            // schema_mark of the columns that describe_file held it against; not in the log
};

// `remove`: a tombstone.
struct Removed {
  std::string path;
  int64_t deletion_ms = 0;
  bool data_change = true;
  std::optional<int64_t> size;
  std::string partition_values;  // JSON object; empty where there are none
};

struct Txn {
  std::string app_id;
  int64_t version = 0;
  std::optional<int64_t> last_updated_ms;
};

// What one commit (or one checkpoint) holds.
struct Actions {
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<DataFile> added;
  std::vector<Removed> removed;
  std::vector<Txn> txns;
  std::string commit_info;  // JSON object; empty where there is none

  std::optional<int64_t> timestamp_ms() const;  // of commitInfo
  std::string txn_id() const;                   // of commitInfo; empty where there is none
};

// Lines of JSON. corrupt names `source` and the line: no object, a required field that is missing or of another type,
// two protocols or two metaData. unsupported: an absolute path, a deletion vector.
Result<Actions> parse_actions(std::string_view lines, std::string_view source);

// commitInfo first, then protocol, metaData, txn, remove, add; each line ends with '\n'.
std::string write_actions(const Actions& actions);

// What keeps us from reading, or from appending to, such a table; unsupported, by name of the feature or version.
Result<> check_readable(const Protocol& protocol, const Metadata& metadata);
Result<> check_writable(const Protocol& protocol, const Metadata& metadata);

// Paths in the log are URIs (RFC 2396): "a b" is "a%20b".
std::string encode_path(std::string_view path);
Result<std::string> decode_path(std::string_view uri);

}  // namespace pinflow::delta
