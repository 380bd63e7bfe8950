#include "app/sink_metrics.h"

#include <fmt/format.h>

#include "app/counts.h"

namespace pinflow::app {
namespace {

// A label's value: backslash, quote and line feed are escaped.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

int64_t records_of(const sink::SinkCounts& counts) { return counts.in_objects + counts.dead + counts.skipped; }

}  // namespace

std::string sink_metrics(const sink::SinkCounts& counts, const Lags& lags, bool failed) {
  std::string text;
  const auto head = [&text](std::string_view name, std::string_view type, std::string_view help) {
    text += fmt::format("# HELP pinflow_sink_{0} {2}\n# TYPE pinflow_sink_{0} {1}\n", name, type, help);
  };
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, int64_t value) {
    head(name, type, help);
    text += fmt::format("pinflow_sink_{} {}\n", name, value);
  };
  head("records_total", "counter", "Records since the start, by what became of them.");
  for (const auto& [result, value] : {std::pair{"written", counts.in_objects},
                                      {"dead", counts.dead},
                                      {"skipped", counts.skipped},
                                      {"ignored", counts.ignored}})
    text += fmt::format("pinflow_sink_records_total{{result=\"{}\"}} {}\n", result, value);
  one("taken_total", "counter", "Records read from the topics.", counts.taken);
  one("objects_total", "counter", "Objects written, without those of dead letters.", counts.objects);
  one("dead_objects_total", "counter", "Objects of dead letters written.", counts.dead_objects);
  one("bytes_total", "counter", "Bytes of all objects written.", counts.bytes);
  one("memory_bytes", "gauge", "Memory of files in progress and of those being written.", counts.memory_bytes);
  one("up", "gauge", "1 while the sink works, 0 when it has stopped by an error.", failed ? 0 : 1);
  const auto of_partitions = [&](std::string_view name, std::string_view help, auto value_of) {
    head(name, "gauge", help);
    for (const sink::PartitionCounts& one : counts.partitions)
      text += fmt::format("pinflow_sink_{}{{topic=\"{}\",partition=\"{}\"}} {}\n", name, label(one.topic),
                          one.partition, value_of(one));
  };
  of_partitions("position", "Offset of the next record to be read.", [](const auto& one) { return one.position; });
  of_partitions("done", "Offset before which all is durable.", [](const auto& one) { return one.done; });
  head("lag_records", "gauge", "Records of the topic that are not durable in the lake, some seconds ago.");
  for (const auto& [at, lag] : lags)
    text += fmt::format("pinflow_sink_lag_records{{topic=\"{}\",partition=\"{}\"}} {}\n", label(at.topic), at.partition,
                        lag);
  return text;
}

std::string sink_line(const sink::SinkCounts& counts, const sink::SinkCounts& before, double seconds,
                      const Lags& lags) {
  std::map<std::string, int64_t> by_topic;
  int64_t behind = 0;
  for (const auto& [at, lag] : lags) {
    if (lag <= 0) continue;
    by_topic[at.topic] += lag;
    behind += lag;
  }
  std::string line =
      fmt::format("{} records in {} objects (+{} records in {:.0f} s), {} dead, {:.1f} MB, {} records behind",
                  grouped(counts.in_objects), grouped(counts.objects), grouped(records_of(counts) - records_of(before)),
                  seconds, grouped(counts.dead), static_cast<double>(counts.bytes) / 1e6, grouped(behind));
  constexpr size_t kTopics = 5;  // that are named
  size_t named = 0;
  for (const auto& [topic, lag] : by_topic) {
    if (named == kTopics) {
      line += fmt::format(", and {} topics more", by_topic.size() - kTopics);
      break;
    }
    line += fmt::format("{}{} {}", named++ == 0 ? " (" : ", ", topic, grouped(lag));
  }
  if (named > 0) line += ")";
  return line;
}

}  // namespace pinflow::app
