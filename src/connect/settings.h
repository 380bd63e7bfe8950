// How a sink's records become objects, as Kafka Connect's properties say it: converters, format, partitioner. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pinflow::connect {

// What the bytes of a record's value, or key, are.
enum class Converter {
  json,         // JsonConverter with schemas.enable=false
  json_schema,  // with schemas.enable=true: {"schema":…,"payload":…}
  string,       // StringConverter: UTF-8
  bytes,        // ByteArrayConverter
};

enum class Format {
  json,     // one JSON value a line
  bytes,    // the bytes as they are, with a separator behind each
  parquet,  // columns by a schema; see parquet.h
};

enum class Compression { none, gzip, zstd };

enum class NullValues {
  fail,    // a dead letter
  ignore,  // left out
  write,   // JSON's null, in a folder of its own
};

// One column of a Parquet object: a field of the record.
struct Column {
  std::string name;
  std::string type;  // BIGINT, DOUBLE, BOOLEAN or VARCHAR
};

// Of a topic's Parquet objects.
struct Schema {
  std::string topic;
  std::vector<Column> columns;
};

enum class PartitionBy { kafka_partition, fields, time };
enum class TimeFrom { wall_clock, record, field };

struct Partitioning {
  PartitionBy by = PartitionBy::kafka_partition;
  std::vector<std::string> fields;            // partition.field.name; nested ones as a.b
  TimeFrom time_from = TimeFrom::wall_clock;  // timestamp.extractor
  std::string time_field = "timestamp";       // timestamp.field
  int64_t duration_ms = 0;                    // partition.duration.ms
  std::string path_format;                    // Joda-Time's letters: 'year'=YYYY/'month'=MM
  std::string time_zone = "UTC";
};

struct Settings {
  Converter value = Converter::json;
  Converter key = Converter::string;
  Format format = Format::json;
  Compression compression = Compression::none;
  int compression_level = -1;  // the library's own
  std::string bytes_extension = ".bin";
  std::string bytes_separator = "\n";
  std::string parquet_codec = "snappy";
  std::vector<Schema> schemas;  // of Parquet objects; records of other topics are refused
  std::optional<Format> keys;   // store.kafka.keys: json or bytes
  bool headers = false;         // store.kafka.headers: JSON
  NullValues null_values = NullValues::fail;
  std::string tombstone_folder = "tombstone";
  Partitioning partitioning;

  // Whether an object is lines of JSON of consecutive offsets, and nothing else is written.
  bool is_plain() const;
  // All that changes bytes or names, as one text: equal texts, equal objects.
  std::string fingerprint() const;
};

}  // namespace pinflow::connect
