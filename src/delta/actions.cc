#include "delta/actions.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"

namespace pinflow::delta {
namespace {

void write_map(JsonWriter& json, const std::map<std::string, std::string>& map) {
  json.begin_object();
  for (const auto& [key, value] : map) json.key(key).string(value);
  json.end_object();
}

void write_list(JsonWriter& json, const std::vector<std::string>& list) {
  json.begin_array();
  for (const std::string& text : list) json.string(text);
  json.end_array();
}

void write_protocol(JsonWriter& json, const Protocol& protocol) {
  json.begin_object().key("minReaderVersion").number(int64_t{protocol.min_reader});
  json.key("minWriterVersion").number(int64_t{protocol.min_writer});
  if (protocol.min_reader >= 3) write_list(json.key("readerFeatures"), protocol.reader_features);
  if (protocol.min_writer >= 7) write_list(json.key("writerFeatures"), protocol.writer_features);
  json.end_object();
}

void write_metadata(JsonWriter& json, const Metadata& metadata) {
  json.begin_object().key("id").string(metadata.id);
  if (!metadata.name.empty()) json.key("name").string(metadata.name);
  if (!metadata.description.empty()) json.key("description").string(metadata.description);
  json.key("format").begin_object().key("provider").string(metadata.provider);
  json.key("options").begin_object().end_object().end_object();
  json.key("schemaString").string(metadata.schema_json);
  write_list(json.key("partitionColumns"), metadata.partition_columns);
  write_map(json.key("configuration"), metadata.configuration);
  if (metadata.created_ms) json.key("createdTime").number(*metadata.created_ms);
  json.end_object();
}

void write_txn(JsonWriter& json, const Txn& txn) {
  json.begin_object().key("appId").string(txn.app_id).key("version").number(txn.version);
  if (txn.last_updated_ms) json.key("lastUpdated").number(*txn.last_updated_ms);
  json.end_object();
}

void write_remove(JsonWriter& json, const Removed& removed) {
  json.begin_object().key("path").string(encode_path(removed.path));
  json.key("deletionTimestamp").number(removed.deletion_ms);
  json.key("dataChange").boolean(removed.data_change);
  if (removed.size && !removed.partition_values.empty()) {
    json.key("extendedFileMetadata").boolean(true).key("partitionValues").raw(removed.partition_values);
    json.key("size").number(*removed.size);
  }
  json.end_object();
}

void write_add(JsonWriter& json, const DataFile& file) {
  json.begin_object().key("path").string(encode_path(file.path));
  json.key("partitionValues").raw(file.partition_values).key("size").number(file.size);
  json.key("modificationTime").number(file.modification_ms).key("dataChange").boolean(file.data_change);
  if (!file.stats_json.empty()) json.key("stats").string(file.stats_json);
  if (!file.tags.empty()) json.key("tags").raw(file.tags);
  json.end_object();
}

// Writer features that are met by what an append does anyway, and by check_writable.
bool known_writer_feature(std::string_view name) { return name == "appendOnly" || name == "invariants"; }

std::string_view what_writer_needs(int version) {
  switch (version) {
    case 3: return "CHECK constraints";
    case 4: return "change data feed and generated columns";
    case 5: return "column mapping";
    case 6: return "identity columns";
    default: return "unknown rules";
  }
}

std::string mapping_mode(const Metadata& metadata) {
  const auto mode = metadata.configuration.find("delta.columnMapping.mode");
  return mode == metadata.configuration.end() ? "none" : mode->second;
}

}  // namespace

std::string write_actions(const Actions& actions) {
  std::string lines;
  const auto line = [&](std::string_view name, const auto& write) {
    JsonWriter json;
    json.begin_object().key(name);
    write(json);
    json.end_object();
    lines.append(json.text()).push_back('\n');
  };
  if (!actions.commit_info.empty()) line("commitInfo", [&](JsonWriter& json) { json.raw(actions.commit_info); });
  if (actions.protocol) line("protocol", [&](JsonWriter& json) { write_protocol(json, *actions.protocol); });
  if (actions.metadata) line("metaData", [&](JsonWriter& json) { write_metadata(json, *actions.metadata); });
  for (const Txn& txn : actions.txns) line("txn", [&](JsonWriter& json) { write_txn(json, txn); });
  for (const Removed& file : actions.removed) line("remove", [&](JsonWriter& json) { write_remove(json, file); });
  for (const DataFile& file : actions.added) line("add", [&](JsonWriter& json) { write_add(json, file); });
  return lines;
}

Result<> check_readable(const Protocol& protocol, const Metadata& metadata) {
  if (protocol.min_reader < 1 || protocol.min_reader > 3) {
    return unsupported(
        "the table needs a reader of Delta protocol version {}; this program reads 1 (and 2 and 3 where no feature is "
        "used)",
        protocol.min_reader);
  }
  if (!protocol.reader_features.empty()) {
    return unsupported("the table needs the Delta feature '{}' to be read, which this program does not have",
                       protocol.reader_features.front());
  }
  if (const std::string mode = mapping_mode(metadata); protocol.min_reader >= 2 && mode != "none") {
    return unsupported("the table uses the Delta feature 'columnMapping' (mode {}), which this program does not have",
                       mode);
  }
  if (metadata.provider != "parquet") {
    return unsupported("the table's files are {}; this program reads Parquet only", metadata.provider);
  }
  return {};
}

Result<> check_writable(const Protocol& protocol, const Metadata& metadata) {
  if (auto readable = check_readable(protocol, metadata); !readable) return readable;
  if (protocol.min_writer < 1 || protocol.min_writer > 7) {
    return unsupported("the table needs a writer of Delta protocol version {}; this program writes 1 and 2",
                       protocol.min_writer);
  }
  if (protocol.min_writer > 2 && protocol.min_writer < 7) {
    return unsupported("the table needs a writer of Delta protocol version {} ({}); this program writes 1 and 2",
                       protocol.min_writer, what_writer_needs(protocol.min_writer));
  }
  for (const std::string& feature : protocol.writer_features) {
    if (!known_writer_feature(feature)) {
      return unsupported("the table needs the Delta feature '{}' to be written, which this program does not have",
                         feature);
    }
  }
  if (!metadata.partition_columns.empty()) {
    return unsupported("the table is partitioned by '{}'; this program appends to tables without partitions only",
                       metadata.partition_columns.front());
  }
  const auto columns = schema_from_json(metadata.schema_json);
  if (!columns) return pass(columns.error());
  for (const Column& column : *columns) {
    if (column.metadata.find("delta.invariants") != std::string::npos) {
      return unsupported(
          "the column '{}' has an invariant (the Delta feature 'invariants'), which this program cannot check",
          column.name);
    }
  }
  return {};
}

std::string encode_path(std::string_view path) {
  std::string uri;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                       std::string_view("-_.!~*'()/=+,@&$").find(c) != std::string_view::npos;
    if (plain) uri.push_back(c);
    else fmt::format_to(std::back_inserter(uri), "%{:02X}", byte);
  }
  return uri;
}

Result<std::string> decode_path(std::string_view uri) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string path;
  for (size_t i = 0; i < uri.size(); ++i) {
    if (uri[i] != '%') {
      path.push_back(uri[i]);
      continue;
    }
    const int high = i + 2 < uri.size() ? digit(uri[i + 1]) : -1;
    const int low = i + 2 < uri.size() ? digit(uri[i + 2]) : -1;
    if (high < 0 || low < 0) return corrupt("the path '{}' is no URI", uri);
    path.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return path;
}

}  // namespace pinflow::delta
