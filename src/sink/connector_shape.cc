#include "sink/connector_shape.h"

#include <algorithm>
#include <array>
#include <limits>

#include "object/store.h"

namespace pinflow::sink {
namespace {

using connect::Compression;
using connect::Converter;
using connect::Format;
using connect::NullValues;
using connect::PartitionBy;
using connect::TimeFrom;

constexpr std::string_view kConverters =
    "org.apache.kafka.connect.json org.apache.kafka.connect.storage org.apache.kafka.connect.converters";
constexpr std::string_view kFormats =
    "io.confluent.connect.s3.format.json io.confluent.connect.s3.format.bytearray "
    "io.confluent.connect.s3.format.parquet "
    "io.confluent.connect.s3.format.avro io.confluent.connect.s3.format.string";
constexpr std::string_view kPartitioners =
    "io.confluent.connect.storage.partitioner io.confluent.connect.s3.partitioner";
constexpr int64_t kHourMs = 3'600'000;

constexpr std::array kKeys = {
    "value.converter",
    "value.converter.schemas.enable",
    "key.converter",
    "key.converter.schemas.enable",
    "format.class",
    "format.bytearray.extension",
    "format.bytearray.separator",
    "parquet.codec",
    "s3.compression.type",
    "s3.compression.level",
    "store.kafka.keys",
    "store.kafka.headers",
    "keys.format.class",
    "headers.format.class",
    "behavior.on.null.values",
    "tombstone.encoded.partition",
    "partitioner.class",
    "partition.field.name",
    "partition.duration.ms",
    "path.format",
    "timezone",
    "timestamp.extractor",
    "timestamp.field",
};

class Shape {
 public:
  Shape(const ConnectorValues& values, std::vector<std::string>& remarks) : values_(values), remarks_(remarks) {}

  Result<connect::Settings> read() {
    for (auto part : {&Shape::converters, &Shape::formats, &Shape::compression, &Shape::siblings, &Shape::nulls,
                      &Shape::partitioner, &Shape::timestamps})
      if (auto good = (this->*part)(); !good) return pass(good.error());
    return std::move(settings_);
  }

 private:
  // A key without a value says nothing (but for a separator, which may be empty).
  const Property* find(std::string_view key) const {
    const Property* property = values_.properties().find(key);
    if (property && trimmed(property->value).empty() && key != "format.bytearray.separator") return nullptr;
    return property;
  }
  void ignore(std::string_view key, std::string_view why) {
    if (const Property* property = find(key)) remarks_.push_back(values_.ignored(*property, why));
  }

  Result<> converters() {
    auto value = converter("value.converter", Converter::json);
    auto key = converter("key.converter", Converter::string);
    if (!value) return pass(value.error());
    if (!key) return pass(key.error());
    settings_.value = *value;
    settings_.key = *key;
    return {};
  }

  Result<Converter> converter(const std::string& key, Converter otherwise) {
    const std::string enable_key = key + ".schemas.enable";
    const Property* enable = find(enable_key);
    std::optional<bool> schemas;
    if (enable) {
      auto enabled = values_.boolean(*enable);
      if (!enabled) return pass(enabled.error());
      schemas = *enabled;
    }
    const Property* property = find(key);
    if (!property) {
      if (otherwise == Converter::json && schemas == true) return Converter::json_schema;
      return otherwise;
    }
    auto name = values_.class_name(*property, kConverters);
    if (!name) return pass(name.error());
    if (*name == "StringConverter") return Converter::string;
    if (*name == "ByteArrayConverter") return Converter::bytes;
    if (*name != "JsonConverter")
      return values_.refuse(*property, "JsonConverter, StringConverter and ByteArrayConverter are there");
    // As Connect has it, where nothing is said.
    if (!schemas) {
      remarks_.push_back(
          fmt::format("{}:{}: {} is not there, so a record is taken as {{\"schema\":…,\"payload\":…}}, "
                      "as Connect does; set it to false for plain JSON",
                      values_.properties().file(), property->line, enable_key));
    }
    return schemas.value_or(true) ? Converter::json_schema : Converter::json;
  }

  Result<> formats() {
    if (const Property* property = find("format.class")) {
      auto name = values_.class_name(*property, kFormats);
      if (!name) return pass(name.error());
      if (*name == "JsonFormat") settings_.format = Format::json;
      else if (*name == "ByteArrayFormat") settings_.format = Format::bytes;
      else if (*name == "ParquetFormat") settings_.format = Format::parquet;
      else if (*name == "AvroFormat")
        return values_.refuse(*property, "Avro needs a schema registry, and there is none");
      else return values_.refuse(*property, "JsonFormat, ByteArrayFormat and ParquetFormat are there");
    }
    if (const Property* property = find("format.bytearray.extension")) {
      if (property->value.empty() || property->value.find_first_of("/\\") != std::string::npos)
        return values_.wrong(*property, "the ending of a name, such as .bin");
      settings_.bytes_extension = property->value;
    }
    if (const Property* property = find("format.bytearray.separator")) settings_.bytes_separator = property->value;
    if (const Property* property = find("parquet.codec")) {
      const std::string_view codec = trimmed(property->value);
      if (codec != "none" && codec != "snappy" && codec != "gzip" && codec != "zstd")
        return values_.wrong(*property, "none, snappy, gzip or zstd");
      settings_.parquet_codec = codec;
    }
    if (settings_.format != Format::bytes)
      for (const char* key : {"format.bytearray.extension", "format.bytearray.separator"})
        ignore(key, "it belongs to ByteArrayFormat");
    if (settings_.format != Format::parquet) ignore("parquet.codec", "it belongs to ParquetFormat");
    return {};
  }

  Result<> compression() {
    if (const Property* property = find("s3.compression.type")) {
      const std::string_view type = trimmed(property->value);
      if (type == "gzip") settings_.compression = Compression::gzip;
      else if (type == "zstd") settings_.compression = Compression::zstd;
      else if (type != "none") return values_.wrong(*property, "none, gzip or zstd");
    }
    if (const Property* property = find("s3.compression.level")) {
      const int64_t highest = settings_.compression == Compression::zstd ? 19 : 9;
      auto level = values_.number(*property, -1, highest);
      if (!level) return pass(level.error());
      settings_.compression_level = static_cast<int>(*level);
    }
    return {};
  }

  Result<> siblings() {
    bool keys = false;
    if (const Property* property = find("store.kafka.keys")) {
      auto stored = values_.boolean(*property);
      if (!stored) return pass(stored.error());
      keys = *stored;
    }
    if (const Property* property = find("store.kafka.headers")) {
      auto stored = values_.boolean(*property);
      if (!stored) return pass(stored.error());
      settings_.headers = *stored;
    }
    if (keys) {
      auto format = sibling_format("keys.format.class", true);
      if (!format) return pass(format.error());
      settings_.keys = *format;
    } else {
      ignore("keys.format.class", "store.kafka.keys is not true");
    }
    if (settings_.headers) {
      if (auto format = sibling_format("headers.format.class", false); !format) return pass(format.error());
    } else {
      ignore("headers.format.class", "store.kafka.headers is not true");
    }
    return {};
  }

  // The connector's own default is Avro; JSON is ours.
  Result<Format> sibling_format(const char* key, bool bytes_too) {
    const Property* property = find(key);
    if (!property) return Format::json;
    auto name = values_.class_name(*property, kFormats);
    if (!name) return pass(name.error());
    if (*name == "JsonFormat") return Format::json;
    if (*name == "ByteArrayFormat" && bytes_too) return Format::bytes;
    return values_.refuse(*property, bytes_too ? "JsonFormat and ByteArrayFormat are there" : "JsonFormat is there");
  }

  Result<> nulls() {
    if (const Property* property = find("behavior.on.null.values")) {
      const std::string_view behavior = trimmed(property->value);
      if (behavior == "ignore") settings_.null_values = NullValues::ignore;
      else if (behavior == "write") settings_.null_values = NullValues::write;
      else if (behavior != "fail") return values_.wrong(*property, "fail, ignore or write");
    }
    if (const Property* property = find("tombstone.encoded.partition")) {
      if (settings_.null_values != NullValues::write)
        remarks_.push_back(values_.ignored(*property, "behavior.on.null.values is not write"));
      else if (!object::check_name(property->value))
        return values_.wrong(*property, "a folder's name, such as tombstone");
      else settings_.tombstone_folder = property->value;
    }
    return {};
  }

  Result<> partitioner() {
    connect::Partitioning& by = settings_.partitioning;
    std::string name = "DefaultPartitioner";
    if (const Property* property = find("partitioner.class")) {
      auto given = values_.class_name(*property, kPartitioners);
      if (!given) return pass(given.error());
      name = *given;
      if (name == "FieldPartitioner") by.by = PartitionBy::fields;
      else if (name == "TimeBasedPartitioner" || name == "DailyPartitioner" || name == "HourlyPartitioner")
        by.by = PartitionBy::time;
      else if (name != "DefaultPartitioner")
        return values_.refuse(*property, "Default-, Field-, TimeBased-, Daily- and HourlyPartitioner are there");
    }
    if (by.by == PartitionBy::fields) {
      if (const Property* property = find("partition.field.name")) by.fields = list_of(property->value);
    } else {
      ignore("partition.field.name", "it belongs to FieldPartitioner");
    }
    if (const Property* property = find("timezone"); property && !trimmed(property->value).empty())
      by.time_zone = trimmed(property->value);
    if (by.by != PartitionBy::time) {
      for (const char* key : {"path.format", "partition.duration.ms"})
        ignore(key, "it belongs to TimeBasedPartitioner");
      return {};
    }
    if (name == "DailyPartitioner" || name == "HourlyPartitioner") {
      by.path_format = "'year'=YYYY/'month'=MM/'day'=dd";
      by.duration_ms = name == "DailyPartitioner" ? 24 * kHourMs : kHourMs;
      if (name == "HourlyPartitioner") by.path_format += "/'hour'=HH";
      for (const char* key : {"path.format", "partition.duration.ms"}) ignore(key, "this partitioner has its own");
      return {};
    }
    if (const Property* property = find("path.format")) by.path_format = property->value;
    if (const Property* property = find("partition.duration.ms")) {
      auto duration = values_.number(*property, 1, std::numeric_limits<int64_t>::max() / 4);
      if (!duration) return pass(duration.error());
      by.duration_ms = *duration;
    }
    return {};
  }

  Result<> timestamps() {
    connect::Partitioning& by = settings_.partitioning;
    if (by.by != PartitionBy::time) {
      for (const char* key : {"timestamp.extractor", "timestamp.field"})
        ignore(key, "it belongs to TimeBasedPartitioner");
      return {};
    }
    if (const Property* property = find("timestamp.extractor")) {
      auto name = values_.class_name(
          *property,
          "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$WallclockTimestampExtractor "
          "io.confluent.connect.storage.partitioner");
      if (!name) return pass(name.error());
      if (*name == "Wallclock" || *name == "TimeBasedPartitioner$WallclockTimestampExtractor")
        by.time_from = TimeFrom::wall_clock;
      else if (*name == "Record" || *name == "TimeBasedPartitioner$RecordTimestampExtractor")
        by.time_from = TimeFrom::record;
      else if (*name == "RecordField" || *name == "TimeBasedPartitioner$RecordFieldTimestampExtractor")
        by.time_from = TimeFrom::field;
      else return values_.refuse(*property, "Wallclock, Record and RecordField are there");
    }
    if (const Property* property = find("timestamp.field")) {
      if (by.time_from == TimeFrom::field) by.time_field = trimmed(property->value);
      else remarks_.push_back(values_.ignored(*property, "it belongs to the extractor RecordField"));
    }
    return {};
  }

  const ConnectorValues& values_;
  std::vector<std::string>& remarks_;
  connect::Settings settings_;
};

}  // namespace

bool is_shape_key(std::string_view key) { return std::ranges::find(kKeys, key) != kKeys.end(); }

Result<connect::Settings> read_shape(const ConnectorValues& values, std::vector<std::string>& remarks) {
  return Shape(values, remarks).read();
}

}  // namespace pinflow::sink
