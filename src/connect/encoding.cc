#include "connect/encoding.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "connect/compress.h"
#include "connect/json_fields.h"

namespace pinflow::connect {
namespace {

using Refused = std::unexpected<std::string>;

// Some days within the years 1 to 9999, so that every zone's clock is in them.
constexpr int64_t kFirstMs = -62'135'510'400'000;
constexpr int64_t kLastMs = 253'402'214'400'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A value as part of an object's name: what would end the part is percent-encoded, as Hive does.
void append_part(std::string& to, std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/' || c == '%' || byte < 0x20 || byte == 0x7f) to += fmt::format("%{:02X}", byte);
    else to += c;
  }
}

// Two digits.
std::optional<int> digits(std::string_view two) {
  if (two.size() != 2 || !is_digit(two[0]) || !is_digit(two[1])) return std::nullopt;
  return (two[0] - '0') * 10 + (two[1] - '0');
}

// What every store can have as a folder, but for its length.
bool is_folder(std::string_view folder) {
  for (;;) {
    const size_t slash = folder.find('/');
    const std::string_view part = folder.substr(0, slash);
    if (part.empty() || part[0] == '.' || part.contains('\0')) return false;
    if (slash == std::string_view::npos) return true;
    folder.remove_prefix(slash + 1);
  }
}

bool is_too_long(std::string_view folder) {
  if (folder.size() > kLongestFolder) return true;
  while (folder.size() > kLongestPart) {
    const size_t slash = folder.find('/');
    if (slash > kLongestPart) return true;
    folder.remove_prefix(slash + 1);
  }
  return false;
}

// Milliseconds, or a time such as 2020-08-28T03:52:47Z; with a blank for the T, and without a zone, UTC is meant.
std::optional<int64_t> time_of(const Field& field) {
  if (field.kind == Field::Kind::number || field.kind == Field::Kind::string) {
    int64_t ms = 0;
    const char* end = field.text.data() + field.text.size();
    const auto [at, error] = std::from_chars(field.text.data(), end, ms);
    if (error == std::errc() && at == end) return ms;
  }
  if (field.kind != Field::Kind::string) return std::nullopt;
  constexpr size_t kDay = 10, kToSeconds = 19;  // 2020-08-28, 2020-08-28T03:52:47
  std::string text = field.text;
  if (text.size() == kDay) text += "T00:00:00";
  if (text.size() < kToSeconds) return std::nullopt;
  if (text[kDay] == ' ') text[kDay] = 'T';
  const size_t sign = text.find_first_of("+-", kToSeconds);
  int64_t offset_ms = 0;
  if (sign != std::string::npos) {  // +02:00, +0200 or +02
    const std::string_view zone = std::string_view(text).substr(sign + 1);
    const bool colon = zone.size() == 5 && zone[2] == ':';
    const auto hours = digits(zone.substr(0, 2));
    const auto minutes = zone.size() == 2 ? 0 : digits(zone.substr(std::min<size_t>(colon ? 3 : 2, zone.size())));
    if (!hours || !minutes || *minutes > 59) return std::nullopt;
    offset_ms = (*hours * 60 + *minutes) * 60'000 * (text[sign] == '-' ? -1 : 1);
    text.resize(sign);
  }
  if (!text.ends_with('Z')) text += 'Z';
  const auto time = parse_iso_time(text);
  if (!time) return std::nullopt;
  return *time - offset_ms;
}

std::string_view extension_of(Compression compression) {
  switch (compression) {
    case Compression::none: return "";
    case Compression::gzip: return ".gz";
    case Compression::zstd: return ".zst";
  }
  return "";
}

}  // namespace

bool Settings::is_plain() const {
  return value == Converter::json && format == Format::json && compression == Compression::none && !keys && !headers &&
         null_values == NullValues::fail && partitioning.by == PartitionBy::kafka_partition;
}

std::string Settings::fingerprint() const {
  JsonWriter json;
  json.begin_array();
  json.number(static_cast<int64_t>(value)).number(static_cast<int64_t>(key)).number(static_cast<int64_t>(format));
  json.number(static_cast<int64_t>(compression)).number(static_cast<int64_t>(compression_level));
  json.string(bytes_extension).string(bytes_separator).string(parquet_codec);
  for (const Schema& schema : schemas) {
    json.string(schema.topic);
    for (const Column& column : schema.columns) json.string(column.name).string(column.type);
  }
  json.number(keys ? static_cast<int64_t>(*keys) : int64_t{-1}).boolean(headers);
  json.number(static_cast<int64_t>(null_values)).string(tombstone_folder);
  json.number(static_cast<int64_t>(partitioning.by));
  for (const std::string& field : partitioning.fields) json.string(field);
  json.number(static_cast<int64_t>(partitioning.time_from)).string(partitioning.time_field);
  json.number(partitioning.duration_ms).string(partitioning.path_format).string(partitioning.time_zone);
  json.end_array();
  return json.take();
}

Result<Encoding> Encoding::make(Settings settings) {
  if (settings.format == Format::bytes && settings.value != Converter::bytes)
    return invalid("format.class ByteArrayFormat needs value.converter=…ByteArrayConverter");
  if (settings.format == Format::parquet && settings.value != Converter::json &&
      settings.value != Converter::json_schema)
    return invalid("format.class ParquetFormat needs value.converter=…JsonConverter: columns are fields of JSON");
  if (settings.format == Format::parquet && settings.schemas.empty())
    return invalid("format.class ParquetFormat needs a schema: no record of the pipeline has such a topic");
  for (const Schema& schema : settings.schemas)
    for (const Column& column : schema.columns)
      if (!is_column_type(column.type))
        return invalid("topic {}: the column {} has the unknown type {}", schema.topic, column.name, column.type);
  if (settings.format == Format::parquet && settings.null_values == NullValues::write)
    return invalid("behavior.on.null.values=write does not go with ParquetFormat: a null is no row");
  if (settings.format == Format::parquet && settings.compression != Compression::none)
    return invalid("s3.compression.type does not go with ParquetFormat; its own is parquet.codec");
  if (settings.keys == Format::bytes && settings.key != Converter::bytes)
    return invalid("keys.format.class ByteArrayFormat needs key.converter=…ByteArrayConverter");
  if (settings.null_values == NullValues::write && !settings.keys)
    return invalid("behavior.on.null.values=write needs store.kafka.keys=true");
  const Partitioning& by = settings.partitioning;
  if (by.by == PartitionBy::fields && by.fields.empty())
    return invalid("partitioner.class FieldPartitioner needs partition.field.name");
  const bool reads_fields =
      by.by == PartitionBy::fields || (by.by == PartitionBy::time && by.time_from == TimeFrom::field);
  if (reads_fields && settings.value != Converter::json && settings.value != Converter::json_schema)
    return invalid("a partitioner that reads a field needs value.converter=…JsonConverter");
  std::optional<TimePath> time_path;
  if (by.by == PartitionBy::time) {
    auto path = TimePath::make(by.path_format, by.duration_ms, by.time_zone);
    if (!path) return pass(path.error());
    time_path = std::move(*path);
    if (const std::string some = time_path->folder(0); !is_folder(some) || is_too_long(some))
      return invalid("path.format {} makes folders such as '{}': no part may be empty, or begin with '.', or be long",
                     by.path_format, some);
  }
  for (const std::string& field : by.fields)
    if (field.starts_with('.')) return invalid("partition.field.name {}: a folder may not begin with '.'", field);
  Encoding encoding(std::move(settings));
  encoding.time_path_ = std::move(time_path);
  if (encoding.settings_.format == Format::parquet)
    encoding.parquet_ = std::make_shared<ParquetMaker>(encoding.settings_.parquet_codec);
  return encoding;
}

std::expected<bool, std::string> Encoding::look(const kafka::Message& record, int64_t wall_ms) {
  time_ms_ = record.timestamp_ms;
  is_null_ = false;
  stage_ = Stage::value_converter;
  if (auto converted = convert_value(record); !converted) return Refused(converted.error());
  stage_ = Stage::task_put;
  if (settings_.format == Format::parquet && !is_null_)
    if (auto found = find_schema(record); !found) return Refused(found.error());
  if (is_null_) {
    if (settings_.null_values == NullValues::fail) return Refused(kNullValue);
    if (settings_.null_values == NullValues::ignore) return false;
    value_ = "null";
    folder_ = settings_.tombstone_folder;
  } else if (auto found = find_folder(record, wall_ms); !found) {
    return Refused(found.error());
  }
  stage_ = Stage::key_converter;
  if (settings_.keys)
    if (auto converted = convert_key(record); !converted) return Refused(converted.error());
  if (settings_.headers) convert_headers(record);
  return true;
}

void Encoding::append(Lines& to) const {
  to.value += value_;
  to.value += settings_.format == Format::bytes ? std::string_view(settings_.bytes_separator) : "\n";
  if (settings_.keys) {
    to.keys += key_;
    to.keys += settings_.keys == Format::bytes ? std::string_view(settings_.bytes_separator) : "\n";
  }
  if (settings_.headers) {
    to.headers += headers_;
    to.headers += '\n';
  }
  ++to.records;
  to.schema = schema_;
}

std::expected<void, std::string> Encoding::convert_value(const kafka::Message& record) {
  value_.clear();
  if (!record.value) {
    is_null_ = true;
    return {};
  }
  switch (settings_.value) {
    case Converter::json:
      if (auto accepted = gate_.accept(*record.value, value_); !accepted)
        return Refused(gate::text_of(accepted.error()));
      return {};
    case Converter::json_schema: {
      scratch_.clear();
      if (auto accepted = gate_.accept(*record.value, scratch_); !accepted)
        return Refused(gate::text_of(accepted.error()));
      auto payload = payload_of(scratch_);
      if (!payload) return Refused("no schema and payload (schemas.enable is true)");
      is_null_ = *payload == "null";
      value_ = std::move(*payload);
      return {};
    }
    case Converter::string:
      if (!is_utf8(*record.value)) return Refused(gate::text_of(gate::Refusal::not_utf8));
      append_json_string(value_, *record.value);
      return {};
    case Converter::bytes:
      if (settings_.format == Format::bytes) {
        value_ = *record.value;
      } else {
        value_ = '"';
        value_ += base64_encode(*record.value);
        value_ += '"';
      }
      return {};
  }
  return {};
}

std::expected<void, std::string> Encoding::convert_key(const kafka::Message& record) {
  key_.clear();
  if (!record.key) {
    if (settings_.keys == Format::json) key_ = "null";
    return {};
  }
  switch (settings_.key) {
    case Converter::json:
    case Converter::json_schema: {
      std::string& text = settings_.key == Converter::json ? key_ : scratch_;
      text.clear();
      if (auto accepted = gate_.accept(*record.key, text); !accepted)
        return Refused(fmt::format("key: {}", gate::text_of(accepted.error())));
      if (settings_.key == Converter::json) return {};
      auto payload = payload_of(scratch_);
      if (!payload) return Refused("key: no schema and payload (schemas.enable is true)");
      key_ = std::move(*payload);
      return {};
    }
    case Converter::string:
      if (!is_utf8(*record.key)) return Refused("key: not UTF-8");
      append_json_string(key_, *record.key);
      return {};
    case Converter::bytes:
      key_ = settings_.keys == Format::bytes ? std::string(*record.key) : '"' + base64_encode(*record.key) + '"';
      return {};
  }
  return {};
}

// [{"key":"…","value":"…"}]; a value that is not UTF-8 as {"base64":"…"}.
void Encoding::convert_headers(const kafka::Message& record) {
  JsonWriter json;
  json.begin_array();
  for (const kafka::HeaderView& header : record.headers) {
    json.begin_object().key("key").string(header.name).key("value");
    if (!header.value) json.null();
    else if (is_utf8(*header.value)) json.string(*header.value);
    else json.begin_object().key("base64").string(base64_encode(*header.value)).end_object();
    json.end_object();
  }
  json.end_array();
  headers_ = json.take();
}

std::expected<void, std::string> Encoding::find_schema(const kafka::Message& record) {
  const std::vector<Schema>& schemas = settings_.schemas;
  if (schema_ >= schemas.size() || schemas[schema_].topic != record.topic) {
    const auto found = std::ranges::find(schemas, record.topic, &Schema::topic);
    if (found == schemas.end()) return Refused(fmt::format("no schema for the topic {}", record.topic));
    schema_ = static_cast<size_t>(found - schemas.begin());
  }
  return fits(schemas[schema_].columns, value_);
}

std::expected<void, std::string> Encoding::find_folder(const kafka::Message& record, int64_t wall_ms) {
  switch (settings_.partitioning.by) {
    case PartitionBy::kafka_partition: folder_ = fmt::format("partition={}", record.partition); return {};
    case PartitionBy::fields: return find_fields();
    case PartitionBy::time: return find_time(record, wall_ms);
  }
  return {};
}

std::expected<void, std::string> Encoding::find_fields() {
  folder_.clear();
  for (const std::string& name : settings_.partitioning.fields) {
    const auto field = find_field(value_, name);
    if (!field || field->kind == Field::Kind::null) return Refused(fmt::format("no field {} to partition by", name));
    if (field->kind == Field::Kind::other)
      return Refused(fmt::format("the field {} to partition by is an array or an object", name));
    if (!folder_.empty()) folder_ += '/';
    append_part(folder_, name);
    folder_ += '=';
    append_part(folder_, field->text);
  }
  if (is_too_long(folder_))
    return Refused(
        fmt::format("the folder of the fields to partition by is longer than {} bytes, or a part of it than {}",
                    kLongestFolder, kLongestPart));
  return {};
}

std::expected<void, std::string> Encoding::find_time(const kafka::Message& record, int64_t wall_ms) {
  switch (settings_.partitioning.time_from) {
    case TimeFrom::wall_clock: time_ms_ = wall_ms; break;
    case TimeFrom::record:
      if (record.timestamp_ms < 0) return Refused("no timestamp to partition by");
      break;
    case TimeFrom::field: {
      const std::string& name = settings_.partitioning.time_field;
      const auto field = find_field(value_, name);
      if (!field) return Refused(fmt::format("no field {} to partition by", name));
      const auto time = time_of(*field);
      if (!time) return Refused(fmt::format("the field {} to partition by is no time", name));
      time_ms_ = *time;
    }
  }
  if (time_ms_ < kFirstMs || time_ms_ > kLastMs)
    return Refused("the time to partition by is not of the years 1 to 9999");
  folder_ = time_path_->folder(time_ms_);
  return {};
}

bool Encoding::uses_wall_clock() const {
  return settings_.partitioning.by == PartitionBy::time && settings_.partitioning.time_from == TimeFrom::wall_clock;
}

int64_t Encoding::wall_span(int64_t wall_ms) const { return uses_wall_clock() ? time_path_->start_of(wall_ms) : 0; }

std::string Encoding::extension() const {
  switch (settings_.format) {
    case Format::json: return fmt::format(".json{}", extension_of(settings_.compression));
    case Format::bytes: return fmt::format("{}{}", settings_.bytes_extension, extension_of(settings_.compression));
    case Format::parquet:
      return settings_.parquet_codec == "none" ? ".parquet" : fmt::format(".{}.parquet", settings_.parquet_codec);
  }
  return "";
}

Result<std::vector<Piece>> Encoding::finish(Lines&& lines) const {
  const auto packed = [this](std::string bytes) {
    return compress(settings_.compression, settings_.compression_level, std::move(bytes));
  };
  std::vector<Piece> pieces;
  if (parquet_) {
    auto made = parquet_->make(settings_.schemas[lines.schema].columns, lines.value);
    if (!made) return pass(made.error());
    lines.value = {};
    pieces.push_back({extension(), std::move(*made)});
  } else {
    pieces.push_back({extension(), packed(std::move(lines.value))});
  }
  const std::string_view packing = extension_of(settings_.compression);
  if (settings_.keys)
    pieces.push_back(
        {fmt::format(".keys{}{}", settings_.keys == Format::json ? ".json" : settings_.bytes_extension, packing),
         packed(std::move(lines.keys))});
  if (settings_.headers) pieces.push_back({fmt::format(".headers.json{}", packing), packed(std::move(lines.headers))});
  return pieces;
}

}  // namespace pinflow::connect
