// A pipeline's definition, as its folder declares it: record types, their source tables, topics, streams, schemas,
// cleaning, tables and queries. Values only; loaded and checked once at start (load.h), read by everyone after.
// C++ knows no more of posts than what stands here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pipeline/schedule.h"
#include "pipeline/sql.h"

namespace pinflow::pipeline {

// The types a table's column may have; the names in a pipeline file are Delta's (PROTOCOL.md, "Primitive Types").
enum class Type { string, integer, long_, double_, boolean, timestamp, array_of_double, array_of_string };
std::string_view name_of(Type type);      // as the file and Delta's schema say: "long", "array<double>"
std::string_view sql_name_of(Type type);  // the same for a CAST in DuckDB: "BIGINT", "DOUBLE[]", "TIMESTAMPTZ"

struct Column {
  std::string name;
  Type type = Type::string;
};

// The types a column of a source table may have. `float_` is 32 bits wide, `datetime` is text without a zone
// ("2020-08-28 03:52:47").
enum class SourceType { integer, bigint, float_, double_, text, datetime };
std::string_view name_of(SourceType type);  // as the file says: "integer", "float", "datetime"

struct SourceColumn {
  std::string name;
  SourceType type = SourceType::text;
};

// One kind of record: a table of the source, a topic, a stream, a cleaning and the table that it feeds.
struct RecordType {
  std::string name;                             // "pin"
  std::string source_table;                     // "pinterest_data"
  std::string source_key;                       // "index": the column that orders the source's rows
  std::string topic;                            // "local.pin", the pattern filled in
  std::map<std::string, std::string> patterns;  // topic, stream, table, stream_table: with {id} as it stands
  std::string stream;                        // "streaming-local-pin"; record types that share one have partition keys
  std::string partition_key;                 // of all its records in the stream; empty: any
  bool from_topic = false;                   // the streaming leg reads the topic instead of the stream
  std::vector<std::string> fields;           // of the raw record, each read as text: "index", "unique_id", …
  Sql cleaning;                              // SELECT … FROM raw
  std::string table;                         // "pin"
  std::string stream_table;                  // "pin_stream"
  std::string key;                           // column of the table that narrows the search for repeats: "ind"
  std::vector<Column> columns;               // of the table, in order
  std::vector<SourceColumn> source_columns;  // of the source table, in order; the key is integer or bigint
};

struct Query {
  std::string name;   // "top_country"
  std::string title;  // "The country of the user with the most followers"
  Sql sql;
};

struct Repeats {
  bool batch_drop = true;
  bool stream_drop = true;
  int64_t stream_rows = 100'000;
  int64_t stream_minutes = 10;
};

struct Pipeline {
  std::string id;       // "pinterest"
  std::string user_id;  // what {id} became: "local"
  std::filesystem::path folder;
  std::vector<RecordType> records;  // in the order in which the emulator posts them
  std::vector<Query> queries;
  std::map<std::string, Sql> preludes;  // by engine: "duckdb", "spark"
  Repeats repeats;
  std::vector<Check> checks;  // in the file's order
  Schedule schedule;
  std::filesystem::path generator;              // the generator's profile; empty where there is none
  std::map<std::string, std::string> settings;  // endpoints and switches, the profile laid over: "gateway.listen", …
  // How the beginning of a path in the lake reads for the engine ("s3://b/" -> "s3a://b/"), the longest first.
  std::vector<std::pair<std::string, std::string>> engine_paths;

  const RecordType* find_record(std::string_view name) const;
  const Query* find_query(std::string_view name) const;
};

}  // namespace pinflow::pipeline
