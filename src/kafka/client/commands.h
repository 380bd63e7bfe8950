// What the Kafka scripts of the original did, as functions over streams: kafka-topics, kafka-console-producer and
// kafka-console-consumer. Each blocks until it is done or a stop is asked for (base/shutdown.h).
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kafka/client/admin.h"
#include "kafka/client/config.h"

namespace pinflow::kafka {

enum class Output { text, json };  // json: one value (list, describe), or one object a line (consume)

// "Created topic NAME."
Result<> create_topic_command(const ClientConfig& config, const NewTopic& topic, std::ostream& out);
// "KEY=VALUE" as --config gives it.
Result<std::pair<std::string, std::string>> topic_config(std::string_view text);
// Names, one a line, internal ones too, as kafka-topics does; or a JSON array.
Result<> list_topics_command(const ClientConfig& config, Output output, std::ostream& out);
// The lines of kafka-topics --describe; all topics where none is named. JSON: an array of
// {"topic","topic_id","replication_factor","configs":{},"partitions":[{"partition","leader","replicas":[],"isr":[]}]}.
Result<> describe_topics_command(const ClientConfig& config, std::vector<std::string> topics, Output output,
                                 std::ostream& out);
// "Deleted topic NAME."
Result<> delete_topic_command(const ClientConfig& config, const std::string& name, std::ostream& out);

struct ProduceCounts {
  int64_t lines = 0;  // read, each a record
  int64_t acknowledged = 0;
  std::string first_failure;  // "line 3: …"
  bool complete() const { return acknowledged == lines; }
};

// Each line of `in` is a record without a key, an empty one too; '\n' or "\r\n" ends it. At most kMaxUnderWay,
// or kMaxLineBytes, are unacknowledged at once. Ends with the input, or a stop, when all are acknowledged or have
// failed. invalid: a line above kMaxLineBytes (what came before it is written).
inline constexpr int64_t kMaxUnderWay = 10'000;
inline constexpr int64_t kMaxLineBytes = 16 << 20;
Result<ProduceCounts> produce_command(const ClientConfig& config, const std::string& topic, std::istream& in);

struct ConsumeOptions {
  std::string topic;
  std::string group;            // empty: none, nothing is committed
  bool from_beginning = false;  // where the group has committed nothing (or there is none); else only what is new
  int64_t max_messages = -1;    // -1: no end
  int64_t timeout_ms = -1;      // ends when nothing came for so long; -1: never
  bool until_end = false;       // ends when each partition's end was reached
  Output output = Output::text;
};

// Prints the values, one a line ("null" for none), or
// {"topic":"t","partition":0,"offset":0,"timestamp":1,"key":null,"value":"…"} a line. With a group it commits what was
// printed, every few seconds and at the end. Ends by one of the options, a stop, or when `out` takes no more.
// Returns how many were printed; not_found where there is no such topic.
Result<int64_t> consume_command(const ClientConfig& config, const ConsumeOptions& options, std::ostream& out);

}  // namespace pinflow::kafka
