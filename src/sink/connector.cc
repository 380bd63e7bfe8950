#include "sink/connector.h"

#include <limits>
#include <memory>

#include "base/time_zone.h"
#include "sink/connector_keys.h"
#include "sink/connector_shape.h"
#include "sink/connector_store.h"
#include "sink/connector_values.h"

namespace pinflow::sink {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kMostMs = std::numeric_limits<int32_t>::max();
constexpr int64_t kMostInt = std::numeric_limits<int32_t>::max();

class Reader {
 public:
  explicit Reader(const Properties& properties) : properties_(properties), values_(properties) {}

  Result<Connector> read(bool lake_given) {
    SinkOptions& options = connector_.options;
    options.name = properties_.get("name").value_or("");
    if (options.name.empty()) options.name = std::filesystem::path(properties_.file()).stem().string();
    auto shape = read_shape(values_, connector_.remarks);
    if (!shape) return pass(shape.error());
    options.shape = std::move(*shape);
    for (const Property& property : properties_.all())
      if (auto taken = take(property); !taken) return pass(taken.error());
    if (auto topics = check_topics(); !topics) return pass(topics.error());
    if (auto rotation = check_rotation(); !rotation) return pass(rotation.error());
    if (auto nulls = check_nulls(); !nulls) return pass(nulls.error());
    if (auto store = read_store(values_, lake_given, connector_); !store) return pass(store.error());
    return std::move(connector_);
  }

 private:
  Result<> take(const Property& property) {
    if (property.key == "name" || property.key == "topics" || property.key == "topics.regex" ||
        property.key == "report.null.values.to.dlq" || is_shape_key(property.key) || is_store_key(property.key))
      return {};  // looked at together
    for (auto part : {&Reader::take_rotation, &Reader::take_limits, &Reader::take_layout, &Reader::take_errors}) {
      auto taken = (this->*part)(property);
      if (!taken) return pass(taken.error());
      if (*taken) return {};
    }
    if (const Demand* demand = find_demand(property.key)) {
      if (is_one_of(trimmed(property.value), demand->values)) return {};
      return values_.refuse(property, demand->otherwise);
    }
    connector_.remarks.push_back(
        values_.ignored(property, why_harmless(property.key).value_or("it has no meaning here")));
    return {};
  }

  // Each of these: false where it is none of its keys.

  Result<bool> take_rotation(const Property& property) {
    Rotation& rotation = connector_.options.rotation;
    const std::string& key = property.key;
    if (key == "flush.size") return set(property, rotation.flush_size, 1, kMostInt);
    if (key == "flush.bytes") return set(property, rotation.max_bytes, 1, int64_t{1} << 40);
    if (key == "rotate.interval.ms") return set_ms(property, rotation.record_interval, -1);
    if (key == "rotate.schedule.interval.ms") return set_ms(property, rotation.schedule_interval, -1);
    if (key == "flush.interval.ms") return set_ms(property, rotation.max_age, 1);
    if (key == "flush.idle.ms") return set_ms(property, rotation.max_idle, 1);
    if (key == "rotate.file.on.partition.change") {
      auto on = values_.boolean(property);
      if (!on) return pass(on.error());
      connector_.options.rotate_on_change = *on;
      return true;
    }
    return false;
  }

  Result<bool> take_limits(const Property& property) {
    SinkOptions& options = connector_.options;
    const std::string& key = property.key;
    if (key == "buffer.memory.bytes") return set(property, options.memory_bytes, 1 << 20, int64_t{1} << 40);
    if (key == "writer.threads") return set(property, options.writers, 1, 256);
    if (key == "tasks.max") return set(property, options.tasks, 1, 1'000);
    if (key == "partitioner.max.open.files") {
      auto good = set(property, options.max_open_files, -1, kMostInt);
      if (options.max_open_files < 0) options.max_open_files = 0;
      return good;
    }
    return false;
  }

  Result<bool> take_layout(const Property& property) {
    if (property.key == "filename.offset.zero.pad.width") return set(property, connector_.options.layout.pad, 0, 19);
    if (property.key == "topics.dir") return take_topics_dir(property);
    if (property.key == "file.delim" || property.key == "directory.delim") return take_delim(property);
    return false;
  }

  Result<bool> take_errors(const Property& property) {
    SinkOptions& options = connector_.options;
    const std::string_view value = trimmed(property.value);
    if (property.key == "errors.tolerance") {
      if (value != "none" && value != "all") return values_.wrong(property, "none or all");
      options.stop_at_bad_record = value == "none";
      return true;
    }
    if (property.key == "errors.deadletterqueue.topic.name") {
      options.dead_letter_topic = value;
      return true;
    }
    if (property.key == "errors.deadletterqueue.context.headers.enable") {
      auto on = values_.boolean(property);
      if (!on) return pass(on.error());
      options.dead_letter_headers = *on;
      return true;
    }
    if (property.key == "errors.deadletterqueue.topic.replication.factor")
      return set(property, options.dead_letter_replicas, 1, std::numeric_limits<int16_t>::max());
    if (property.key == "errors.log.enable") {
      auto on = values_.boolean(property);
      if (!on) return pass(on.error());
      options.log_bad_records = *on;
      return true;
    }
    if (property.key == "on.lost.offsets") {
      if (value != "fail" && value != "continue") return values_.wrong(property, "fail or continue");
      options.accept_lost = value == "continue";
      return true;
    }
    return false;
  }

  Result<bool> take_topics_dir(const Property& property) {
    std::string_view dir = trimmed(property.value);
    while (dir.ends_with('/')) dir.remove_suffix(1);
    if (!dir.empty() && !object::check_name(dir))
      return values_.wrong(property, "a folder of the store, such as topics or raw/topics");
    for (const std::string_view taken : {"dead", "state", "tables", "answers"})
      if (dir == taken || dir.starts_with(std::string(taken) + "/"))
        return values_.wrong(property, fmt::format("another folder than {}/, where other things are kept", taken));
    connector_.options.layout.topics_dir = dir;
    return true;
  }

  Result<bool> take_delim(const Property& property) {
    const bool file = property.key == "file.delim";
    const std::string& delim = property.value;
    if (delim.empty() || delim.contains('\0') || (file && delim.contains('/')) || (!file && delim.starts_with('.')))
      return values_.wrong(property, file ? "a text without '/'" : "a text such as /");
    (file ? connector_.options.layout.file_delim : connector_.options.layout.directory_delim) = delim;
    return true;
  }

  Result<bool> set(const Property& property, auto& to, int64_t low, int64_t high) {
    auto value = values_.number(property, low, high);
    if (!value) return pass(value.error());
    to = static_cast<std::remove_reference_t<decltype(to)>>(*value);
    return true;
  }
  Result<bool> set_ms(const Property& property, milliseconds& to, int64_t low) {
    auto value = values_.number(property, low, kMostMs);
    if (!value) return pass(value.error());
    to = milliseconds(std::max<int64_t>(*value, 0));
    return true;
  }

  Result<> check_topics() {
    const Property* topics = properties_.find("topics");
    const Property* regex = properties_.find("topics.regex");
    if (topics && regex) return values_.wrong(*regex, "left out where topics is given");
    if (!topics && !regex) return invalid("{}: topics or topics.regex is missing", properties_.file());
    if (regex) {
      connector_.options.topics_regex = trimmed(regex->value);
      if (connector_.options.topics_regex.empty()) return values_.wrong(*regex, "a regular expression");
      return {};
    }
    connector_.options.topics = list_of(topics->value);
    if (connector_.options.topics.empty()) return values_.wrong(*topics, "a list of topics");
    return {};
  }

  // Who names an interval of rotation wants files as old as that: neither age nor idleness closes one sooner, unless
  // the file says so as well. Records' own times do not go on when a topic falls quiet, so for them age still counts.
  Result<> check_rotation() {
    SinkOptions& options = connector_.options;
    Rotation& rotation = options.rotation;
    const Property* schedule = properties_.find("rotate.schedule.interval.ms");
    const milliseconds longest = std::max(rotation.record_interval, rotation.schedule_interval);
    if (longest.count() > 0) {
      if (!properties_.find("flush.interval.ms")) rotation.max_age = longest;
      if (!properties_.find("flush.idle.ms")) rotation.max_idle = longest;
    }
    const Property* zone = properties_.find("timezone");
    if (rotation.schedule_interval.count() > 0 && (!zone || trimmed(zone->value).empty()))
      return invalid("{}:{}: {} needs a timezone beside it, such as timezone=UTC", properties_.file(), schedule->line,
                     schedule->key);
    if (zone && !trimmed(zone->value).empty()) {
      auto loaded = TimeZone::load(std::string(trimmed(zone->value)));
      if (!loaded) return pass(loaded.error(), "{}:{}", properties_.file(), zone->line);
      rotation.start_of_day = [zone = std::make_shared<TimeZone>(std::move(*loaded))](int64_t wall_ms) {
        constexpr int64_t kDayMs = 86'400'000;
        const int64_t local = zone->at(wall_ms).ms;
        return zone->to_utc_ms(local - ((local % kDayMs) + kDayMs) % kDayMs);
      };
    }
    return {};
  }

  // As in the connector: a null that is ignored is still told to the dead letters' topic, where there is one.
  Result<> check_nulls() {
    bool report = true;
    const Property* property = properties_.find("report.null.values.to.dlq");
    if (property) {
      auto on = values_.boolean(*property);
      if (!on) return pass(on.error());
      report = *on;
    }
    SinkOptions& options = connector_.options;
    if (options.shape.null_values != connect::NullValues::ignore) {
      if (property) connector_.remarks.push_back(values_.ignored(*property, "behavior.on.null.values is not ignore"));
    } else if (report && !options.dead_letter_topic.empty()) {
      options.shape.null_values = connect::NullValues::fail;
    }
    return {};
  }

  const Properties& properties_;
  const ConnectorValues values_;
  Connector connector_;
};

}  // namespace

Result<Connector> read_connector(const Properties& properties, bool lake_given) {
  return Reader(properties).read(lake_given);
}

}  // namespace pinflow::sink
