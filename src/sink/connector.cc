#include "sink/connector.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace pinflow::sink {
namespace {

constexpr std::string_view kNoS3 = "an S3 store is not supported yet; use store.url=file:///DIR, or --lake DIR";

// Keys that must have one of these values (separated by blanks) where they are given; others would change what is
// written.
struct Demand {
  std::string_view key;
  std::string_view values;
  std::string_view otherwise;
};
constexpr std::array kDemands = {
    Demand{"connector.class", "io.confluent.connect.s3.S3SinkConnector S3SinkConnector S3Sink",
           "this sink takes the place of the S3 sink connector only"},
    Demand{"format.class", "io.confluent.connect.s3.format.json.JsonFormat", "only JSON lines are written"},
    Demand{"partitioner.class",
           "io.confluent.connect.storage.partitioner.DefaultPartitioner "
           "io.confluent.connect.s3.partitioner.DefaultPartitioner",
           "only the default partitioner is there (topic and Kafka partition)"},
    Demand{"storage.class", "io.confluent.connect.s3.storage.S3Storage", "only this storage class is known"},
    Demand{"value.converter", "org.apache.kafka.connect.json.JsonConverter", "only JSON values are written"},
    Demand{"value.converter.schemas.enable", "false", "values are written as they are, without a schema's envelope"},
    Demand{"behavior.on.null.values", "fail", "a record without a value goes to the dead letters, never elsewhere"},
    Demand{"s3.compression.type", "none", "objects are not compressed"},
    Demand{"store.kafka.keys", "false", "only values are written"},
    Demand{"store.kafka.headers", "false", "only values are written"},
    Demand{"s3.schema.partition.affix.type", "NONE", "names carry no schema"},
    Demand{"errors.deadletterqueue.topic.name", "",
           "a topic for dead letters is not supported yet; without this key they are objects under dead/"},
    Demand{"transforms", "", "transformations are not supported; the pipeline's cleaning does that work"},
    Demand{"s3.ssea.name", "", "objects in a folder are not encrypted"},
    Demand{"s3.sse.kms.key.id", "", "objects in a folder are not encrypted"},
    Demand{"s3.sse.customer.key", "", "objects in a folder are not encrypted"},
};

// Keys without an effect here, and why that does no harm. One that ends in '.' or '*' stands for all that begin so.
struct Harmless {
  std::string_view key;
  std::string_view why;
};
constexpr std::array kHarmless = {
    Harmless{"key.converter*", "keys are not written"},
    Harmless{"header.converter*", "headers are not written"},
    Harmless{"value.converter.*", "values are written as they are"},
    Harmless{"schema.compatibility", "values have no schema"},
    Harmless{"schemas.cache.*", "values have no schema"},
    Harmless{"json.decimal.format", "numbers are written as they are"},
    Harmless{"avro.codec", "only JSON is written"},
    Harmless{"parquet.codec", "only JSON is written"},
    Harmless{"format.bytearray.*", "only JSON is written"},
    Harmless{"keys.format.class", "keys are not written"},
    Harmless{"headers.format.class", "headers are not written"},
    Harmless{"partition.field.name", "it belongs to another partitioner"},
    Harmless{"partition.duration.ms", "it belongs to another partitioner"},
    Harmless{"path.format", "it belongs to another partitioner"},
    Harmless{"locale", "it belongs to another partitioner"},
    Harmless{"timezone", "an object's age is counted from its first record"},
    Harmless{"timestamp.extractor", "an object's age is counted by the clock"},
    Harmless{"timestamp.field", "an object's age is counted by the clock"},
    Harmless{"rotate.file.on.partition.change", "a Kafka partition has one object in progress"},
    Harmless{"enable.conditional.writes", "objects are always put if absent"},
    Harmless{"max.files.scan.limit", "the lake is read as far as needed"},
    Harmless{"max.write.duration.ms", "a store that fails is tried until it works"},
    Harmless{"partitioner.max.open.files", "a Kafka partition has one object in progress"},
    Harmless{"report.null.values.to.dlq", "records without a value always go to the dead letters"},
    Harmless{"tombstone.encoded.partition", "records without a value go to the dead letters"},
    Harmless{"retry.backoff.ms", "the pauses grow by themselves"},
    Harmless{"shutdown.timeout.ms", "what is in progress is written first"},
    Harmless{"errors.*", "a bad record always goes to the dead letters and never stops good ones"},
    Harmless{"predicates*", "there are no transformations"},
    Harmless{"consumer.override.*", "the sink sets its own consumer up; see --command-config"},
    Harmless{"config.action.reload", "this is no Connect worker"},
    Harmless{"confluent.*", "no licence is needed"},
    Harmless{"s3.*", "the store is a folder"},
    Harmless{"aws.*", "the store is a folder"},
};

bool matches(std::string_view pattern, std::string_view key) {
  return pattern.ends_with('*') ? key.starts_with(pattern.substr(0, pattern.size() - 1)) : key == pattern;
}

bool is_one_of(std::string_view value, std::string_view values) {
  while (!values.empty()) {
    const size_t blank = std::min(values.find(' '), values.size());
    if (values.substr(0, blank) == value) return true;
    values.remove_prefix(std::min(blank + 1, values.size()));
  }
  return value.empty();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

class Reader {
 public:
  Reader(const Properties& properties, bool lake_given) : properties_(properties), lake_given_(lake_given) {}

  Result<Connector> read() {
    SinkOptions& options = connector_.options;
    options.name = properties_.get("name").value_or("");
    if (options.name.empty()) options.name = std::filesystem::path(properties_.file()).stem().string();
    for (const Property& property : properties_.all())
      if (auto taken = take(property); !taken) return pass(taken.error());
    if (rotate_ms_) {
      const std::chrono::milliseconds age(*rotate_ms_);
      if (!properties_.find("flush.interval.ms")) options.rotation.max_age = age;
      if (!properties_.find("flush.idle.ms")) options.rotation.max_idle = age;
    }
    if (auto topics = check_topics(); !topics) return pass(topics.error());
    if (auto store = check_store(); !store) return pass(store.error());
    const Property* converter = properties_.find("value.converter");
    if (converter && !properties_.find("value.converter.schemas.enable"))
      return refuse(*converter,
                    "value.converter.schemas.enable=false must stand beside it; without it values are envelopes");
    return std::move(connector_);
  }

 private:
  std::unexpected<Error> refuse(const Property& property, std::string_view why) const {
    return unsupported("{}:{}: {}={}: {}", properties_.file(), property.line, property.key, property.value, why);
  }
  std::unexpected<Error> wrong(const Property& property, std::string_view what) const {
    return invalid("{}:{}: {}={}: must be {}", properties_.file(), property.line, property.key, property.value, what);
  }
  void remark(const Property& property, std::string_view why) {
    connector_.remarks.push_back(
        fmt::format("{}:{}: {} is ignored: {}", properties_.file(), property.line, property.key, why));
  }

  Result<int64_t> number(const Property& property, int64_t low, int64_t high) const {
    const std::string_view text = trimmed(property.value);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
      return wrong(property, fmt::format("a whole number from {} to {}", low, high));
    return value;
  }

  Result<> take(const Property& property) {
    if (auto taken = take_honoured(property); !taken || *taken) return taken ? Result<>{} : pass(taken.error());
    for (const Demand& demand : kDemands) {
      if (property.key != demand.key) continue;
      if (is_one_of(trimmed(property.value), demand.values)) return {};
      return refuse(property, demand.otherwise);
    }
    for (const Harmless& harmless : kHarmless) {
      if (!matches(harmless.key, property.key)) continue;
      remark(property, harmless.why);
      return {};
    }
    remark(property, "it has no meaning here");
    return {};
  }

  // False where it is none of the keys that are honoured.
  Result<bool> take_honoured(const Property& property) {
    SinkOptions& options = connector_.options;
    const std::string& key = property.key;
    const auto set = [&](auto& to, int64_t low, int64_t high) -> Result<bool> {
      auto value = number(property, low, high);
      if (!value) return pass(value.error());
      to = static_cast<std::remove_reference_t<decltype(to)>>(*value);
      return true;
    };
    if (key == "name" || key == "topics" || key == "topics.regex" || key == "store.url" || key == "s3.bucket.name" ||
        key == "s3.region")
      return true;  // looked at together
    if (key == "flush.size") return set(options.rotation.flush_size, 1, std::numeric_limits<int32_t>::max());
    if (key == "rotate.interval.ms" || key == "rotate.schedule.interval.ms") {
      int64_t ms = 0;
      auto good = set(ms, -1, std::numeric_limits<int32_t>::max());
      if (ms > 0) rotate_ms_ = std::min(ms, rotate_ms_.value_or(ms));
      return good;
    }
    if (key == "flush.interval.ms" || key == "flush.idle.ms") {
      int64_t ms = 0;
      auto good = set(ms, 1, std::numeric_limits<int32_t>::max());
      (key == "flush.idle.ms" ? options.rotation.max_idle : options.rotation.max_age) = std::chrono::milliseconds(ms);
      return good;
    }
    if (key == "buffer.memory.bytes") return set(options.memory_bytes, 1 << 20, int64_t{1} << 40);
    if (key == "writer.threads") return set(options.writers, 1, 256);
    if (key == "filename.offset.zero.pad.width") return set(options.layout.pad, 0, 19);
    if (key == "tasks.max") {
      int64_t tasks = 0;
      auto good = set(tasks, 1, 10'000);
      if (good && tasks > 1)
        connector_.remarks.push_back(fmt::format(
            "{}:{}: tasks.max={}: one worker does all partitions here; start the sink again beside it to share them",
            properties_.file(), property.line, tasks));
      return good;
    }
    if (key == "topics.dir") return take_topics_dir(property);
    if (key == "file.delim" || key == "directory.delim") return take_delim(property);
    if (key == "on.lost.offsets") {
      if (property.value != "fail" && property.value != "continue") return wrong(property, "fail or continue");
      options.accept_lost = property.value == "continue";
      return true;
    }
    return false;
  }

  Result<bool> take_topics_dir(const Property& property) {
    std::string_view dir = trimmed(property.value);
    while (dir.ends_with('/')) dir.remove_suffix(1);
    if (!dir.empty() && !object::check_name(dir))
      return wrong(property, "a folder of the store, such as topics or raw/topics");
    for (const std::string_view taken : {"dead", "state", "tables", "answers"})
      if (dir == taken || dir.starts_with(std::string(taken) + "/"))
        return wrong(property, fmt::format("another folder than {}/, where other things are kept", taken));
    connector_.options.layout.topics_dir = dir;
    return true;
  }

  Result<bool> take_delim(const Property& property) {
    const bool file = property.key == "file.delim";
    const std::string& delim = property.value;
    if (delim.empty() || delim.contains('\0') || (file && delim.contains('/')) || (!file && delim.starts_with('.')))
      return wrong(property, file ? "a text without '/'" : "a text such as /");
    (file ? connector_.options.layout.file_delim : connector_.options.layout.directory_delim) = delim;
    return true;
  }

  Result<> check_topics() {
    const Property* topics = properties_.find("topics");
    const Property* regex = properties_.find("topics.regex");
    if (topics && regex) return wrong(*regex, "left out where topics is given");
    if (!topics && !regex) return invalid("{}: topics or topics.regex is missing", properties_.file());
    if (regex) {
      connector_.options.topics_regex = trimmed(regex->value);
      if (connector_.options.topics_regex.empty()) return wrong(*regex, "a regular expression");
      return {};
    }
    for (std::string_view rest = topics->value; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view topic = trimmed(rest.substr(0, comma));
      if (!topic.empty() && std::ranges::find(connector_.options.topics, topic) == connector_.options.topics.end())
        connector_.options.topics.emplace_back(topic);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (connector_.options.topics.empty()) return wrong(*topics, "a list of topics");
    return {};
  }

  Result<> check_store() {
    if (lake_given_) {
      for (const char* key : {"store.url", "s3.bucket.name", "s3.region"})
        if (const Property* property = properties_.find(key)) remark(*property, "--lake names the store");
      return {};
    }
    const Property* url = properties_.find("store.url");
    if (!url || url->value.empty()) {
      if (const Property* bucket = properties_.find("s3.bucket.name")) return refuse(*bucket, kNoS3);
      if (const Property* region = properties_.find("s3.region")) return refuse(*region, kNoS3);
      return {};
    }
    constexpr std::string_view scheme = "file://";
    if (!url->value.starts_with(scheme)) return refuse(*url, kNoS3);
    std::string path;
    for (std::string_view rest = std::string_view(url->value).substr(scheme.size()); !rest.empty();) {
      unsigned byte = 0;
      if (rest[0] == '%') {
        if (rest.size() < 3 || std::from_chars(rest.data() + 1, rest.data() + 3, byte, 16).ptr != rest.data() + 3 ||
            byte == 0)
          return wrong(*url, "file:///DIR, with %XX for special characters");
        path.push_back(static_cast<char>(byte));
        rest.remove_prefix(3);
      } else {
        path.push_back(rest[0]);
        rest.remove_prefix(1);
      }
    }
    if (!path.starts_with('/')) return wrong(*url, "file:///DIR, an absolute folder after three slashes");
    connector_.store = path;
    for (const char* key : {"s3.bucket.name", "s3.region"})
      if (const Property* property = properties_.find(key)) remark(*property, "the store is the folder of store.url");
    return {};
  }

  const Properties& properties_;
  const bool lake_given_;
  Connector connector_;
  std::optional<int64_t> rotate_ms_;  // the shorter of rotate.interval.ms and rotate.schedule.interval.ms
};

}  // namespace

Result<Connector> read_connector(const Properties& properties, bool lake_given) {
  return Reader(properties, lake_given).read();
}

}  // namespace pinflow::sink
