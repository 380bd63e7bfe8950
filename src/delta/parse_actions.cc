#include <simdjson.h>

#include "delta/actions.h"

namespace pinflow::delta {
namespace {

namespace dom = simdjson::dom;

// The value of a key; nothing where it is missing or null, as the log's readers take the two for the same.
std::optional<dom::element> find(dom::element object, std::string_view key) {
  dom::element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

// Reads the fields of one action. The first wrong or missing one is kept as the error.
class Fields {
 public:
  Fields(dom::element object, std::string_view action) : object_(object), action_(action) {}

  std::string text(std::string_view key, bool required) {
    const auto value = find(object_, key);
    std::string_view text;
    if (!value) miss(key, required);
    else if (value->get_string().get(text) != simdjson::SUCCESS) wrong(key, "text");
    return std::string(text);
  }

  std::optional<int64_t> integer(std::string_view key, bool required) {
    const auto value = find(object_, key);
    if (!value) return miss(key, required), std::nullopt;
    int64_t number = 0;
    if (value->get_int64().get(number) != simdjson::SUCCESS) return wrong(key, "an integer"), std::nullopt;
    return number;
  }

  bool boolean(std::string_view key, bool absent) {
    const auto value = find(object_, key);
    bool yes = absent;
    if (value && value->get_bool().get(yes) != simdjson::SUCCESS) wrong(key, "true or false");
    return yes;
  }

  // A JSON object as text.
  std::string object(std::string_view key, bool required) {
    const auto value = find(object_, key);
    if (!value) return miss(key, required), std::string();
    if (!value->is_object()) return wrong(key, "an object"), std::string();
    return simdjson::minify(*value);
  }

  std::vector<std::string> texts(std::string_view key, bool required) {
    std::vector<std::string> list;
    const auto value = find(object_, key);
    if (!value) return miss(key, required), list;
    dom::array array;
    if (value->get_array().get(array) != simdjson::SUCCESS) return wrong(key, "a list"), list;
    for (const dom::element item : array) {
      std::string_view text;
      if (item.get_string().get(text) != simdjson::SUCCESS) return wrong(key, "a list of texts"), list;
      list.emplace_back(text);
    }
    return list;
  }

  std::map<std::string, std::string> map(std::string_view key) {
    std::map<std::string, std::string> map;
    const auto value = find(object_, key);
    dom::object object;
    if (!value) return map;
    if (value->get_object().get(object) != simdjson::SUCCESS) return wrong(key, "an object"), map;
    for (const auto [name, item] : object) {
      std::string_view text;
      if (item.is_null()) continue;
      if (item.get_string().get(text) != simdjson::SUCCESS) return wrong(key, "an object of texts"), map;
      map.emplace(name, text);
    }
    return map;
  }

  std::optional<dom::element> element(std::string_view key) const { return find(object_, key); }

  Result<> done() const {
    if (error_.empty()) return {};
    return corrupt("{}", error_);
  }

 private:
  void miss(std::string_view key, bool required) {
    if (required) keep(fmt::format("{} without '{}'", action_, key));
  }
  void wrong(std::string_view key, std::string_view kind) {
    keep(fmt::format("'{}' of {} is not {}", key, action_, kind));
  }
  void keep(std::string error) {
    if (error_.empty()) error_ = std::move(error);
  }

  dom::element object_;
  std::string_view action_;
  std::string error_;
};

Result<std::string> local_path(std::string_view uri) {
  const size_t colon = uri.find(':');
  if (uri.starts_with('/') || (colon != std::string_view::npos && colon < uri.find('/'))) {
    return unsupported(
        "the file '{}' lies outside of the table's folder; such tables (shallow clones) are not read here", uri);
  }
  return decode_path(uri);
}

Result<Protocol> read_protocol(dom::element object) {
  Fields fields(object, "protocol");
  Protocol protocol;
  protocol.min_reader = static_cast<int>(fields.integer("minReaderVersion", true).value_or(0));
  protocol.min_writer = static_cast<int>(fields.integer("minWriterVersion", true).value_or(0));
  protocol.reader_features = fields.texts("readerFeatures", protocol.min_reader >= 3);
  protocol.writer_features = fields.texts("writerFeatures", protocol.min_writer >= 7);
  if (auto done = fields.done(); !done) return pass(done.error());
  return protocol;
}

Result<Metadata> read_metadata(dom::element object) {
  Fields fields(object, "metaData");
  Metadata metadata;
  metadata.id = fields.text("id", true);
  metadata.name = fields.text("name", false);
  metadata.description = fields.text("description", false);
  metadata.schema_json = fields.text("schemaString", true);
  metadata.partition_columns = fields.texts("partitionColumns", true);
  metadata.created_ms = fields.integer("createdTime", false);
  metadata.configuration = fields.map("configuration");
  if (const auto format = fields.element("format")) {
    Fields inner(*format, "metaData.format");
    metadata.provider = inner.text("provider", true);
    if (auto done = inner.done(); !done) return pass(done.error());
  } else {
    return corrupt("metaData without 'format'");
  }
  if (auto done = fields.done(); !done) return pass(done.error());
  return metadata;
}

// numRecords of a stats text, without failing on what else may stand there.
int64_t records_of(dom::parser& parser, std::string_view stats) {
  dom::element root;
  int64_t records = -1;
  if (parser.parse(stats.data(), stats.size()).get(root) != simdjson::SUCCESS) return -1;
  return root["numRecords"].get_int64().get(records) == simdjson::SUCCESS ? records : -1;
}

Result<DataFile> read_add(dom::element object, dom::parser& stats_parser) {
  Fields fields(object, "add");
  DataFile file;
  auto path = local_path(fields.text("path", true));
  if (!path) return pass(path.error());
  file.path = std::move(*path);
  file.partition_values = fields.object("partitionValues", true);
  file.size = fields.integer("size", true).value_or(0);
  file.modification_ms = fields.integer("modificationTime", true).value_or(0);
  file.data_change = fields.boolean("dataChange", true);
  file.stats_json = fields.text("stats", false);
  file.tags = fields.object("tags", false);
  if (!file.stats_json.empty()) file.records = records_of(stats_parser, file.stats_json);
  else if (const auto parsed = fields.element("stats_parsed")) {  // of a checkpoint; only the count is taken
    Fields inner(*parsed, "stats_parsed");
    file.records = inner.integer("numRecords", false).value_or(-1);
  }
  if (fields.element("deletionVector")) {
    return unsupported(
        "the file '{}' has a deletion vector (the Delta feature 'deletionVectors'), which this program does not have",
        file.path);
  }
  if (auto done = fields.done(); !done) return pass(done.error());
  return file;
}

Result<Removed> read_remove(dom::element object) {
  Fields fields(object, "remove");
  Removed removed;
  auto path = local_path(fields.text("path", true));
  if (!path) return pass(path.error());
  removed.path = std::move(*path);
  removed.deletion_ms = fields.integer("deletionTimestamp", false).value_or(0);
  removed.data_change = fields.boolean("dataChange", true);
  removed.size = fields.integer("size", false);
  removed.partition_values = fields.object("partitionValues", false);
  if (fields.element("deletionVector")) {
    return unsupported(
        "the file '{}' has a deletion vector (the Delta feature 'deletionVectors'), which this program does not have",
        removed.path);
  }
  if (auto done = fields.done(); !done) return pass(done.error());
  return removed;
}

Result<Txn> read_txn(dom::element object) {
  Fields fields(object, "txn");
  Txn txn;
  txn.app_id = fields.text("appId", true);
  txn.version = fields.integer("version", true).value_or(0);
  txn.last_updated_ms = fields.integer("lastUpdated", false);
  if (auto done = fields.done(); !done) return pass(done.error());
  return txn;
}

Result<> read_line(dom::element line, dom::parser& stats_parser, Actions& actions) {
  if (!line.is_object()) return corrupt("no JSON object");
  const auto take = [](auto value, auto& list) -> Result<> {
    if (!value) return pass(value.error());
    list.push_back(std::move(*value));
    return {};
  };
  const auto take_one = [](auto value, auto& place, std::string_view name) -> Result<> {
    if (!value) return pass(value.error());
    if (place) return corrupt("a second {} in the same commit", name);
    place = std::move(*value);
    return {};
  };
  Result<> done;
  if (const auto add = find(line, "add")) done = take(read_add(*add, stats_parser), actions.added);
  if (const auto remove = find(line, "remove"); done && remove) done = take(read_remove(*remove), actions.removed);
  if (const auto txn = find(line, "txn"); done && txn) done = take(read_txn(*txn), actions.txns);
  if (const auto info = find(line, "commitInfo"); done && info) actions.commit_info = simdjson::minify(*info);
  if (const auto protocol = find(line, "protocol"); done && protocol) {
    done = take_one(read_protocol(*protocol), actions.protocol, "protocol");
  }
  if (const auto metadata = find(line, "metaData"); done && metadata) {
    done = take_one(read_metadata(*metadata), actions.metadata, "metaData");
  }
  return done;
}

}  // namespace

Result<Actions> parse_actions(std::string_view lines, std::string_view source) {
  Actions actions;
  dom::parser parser, stats_parser;
  int number = 0;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    dom::element root;
    if (const auto error = parser.parse(line.data(), line.size()).get(root); error != simdjson::SUCCESS) {
      return corrupt("{}, line {}: no JSON ({})", source, number, simdjson::error_message(error));
    }
    if (auto done = read_line(root, stats_parser, actions); !done)
      return pass(done.error(), "{}, line {}", source, number);
  }
  return actions;
}

std::optional<int64_t> Actions::timestamp_ms() const {
  dom::parser parser;
  dom::element root;
  int64_t time = 0;
  if (commit_info.empty() || parser.parse(commit_info).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root["timestamp"].get_int64().get(time) != simdjson::SUCCESS) return std::nullopt;
  return time;
}

std::string Actions::txn_id() const {
  dom::parser parser;
  dom::element root;
  std::string_view id;
  if (commit_info.empty() || parser.parse(commit_info).get(root) != simdjson::SUCCESS) return {};
  if (root["txnId"].get_string().get(id) != simdjson::SUCCESS) return {};
  return std::string(id);
}

}  // namespace pinflow::delta
