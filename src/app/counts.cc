#include "app/counts.h"

#include <fmt/format.h>

#include <algorithm>

namespace pinflow::app {
namespace {

int64_t of(const ByRecord& counts, const std::string& record) {
  const auto found =
      std::find_if(counts.begin(), counts.end(), [&](const auto& entry) { return entry.first == record; });
  return found == counts.end() ? 0 : found->second;
}

void write_json(JsonWriter& json, std::string_view name, const ByRecord& counts) {
  json.key(name).begin_object();
  for (const auto& [record, count] : counts) json.key(record).number(count);
  json.end_object();
}

std::string listed(const ByRecord& counts) {
  std::string text;
  for (const auto& [record, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", record, grouped(count));
  }
  return text;
}

// From the emulator to the log: it has what was given.
void compare_log(const LegCounts& c, std::vector<std::string>& found) {
  if (c.log < c.acknowledged) {
    found.push_back(fmt::format("the log gained {} records, but {} were acknowledged: {} are missing", c.log,
                                c.acknowledged, c.acknowledged - c.log));
  }
  if (c.log > c.acknowledged + c.answers_lost) {
    found.push_back(fmt::format(
        "the log gained {} records, but only {} were acknowledged and {} answers lost: does somebody else write to it?",
        c.log, c.acknowledged, c.answers_lost));
  }
}

void compare_sink(const LegCounts& c, std::vector<std::string>& found) {
  if (c.log + c.sink_backlog != c.sunk + c.dead_in_sink) {
    found.push_back(
        fmt::format("the sink had {} records to take ({} new, {} from earlier), but wrote {} and refused {}",
                    c.log + c.sink_backlog, c.log, c.sink_backlog, c.sunk, c.dead_in_sink));
  }
  if (c.sunk + c.lake_backlog != c.records_in_objects) {
    found.push_back(fmt::format("the batch had {} records to read ({} new, {} from earlier), but read {}",
                                c.sunk + c.lake_backlog, c.sunk, c.lake_backlog, c.records_in_objects));
  }
}

}  // namespace

int64_t sum_of(const ByRecord& counts) {
  int64_t sum = 0;
  for (const auto& [record, count] : counts) sum += count;
  return sum;
}

std::string grouped(int64_t number) {
  std::string digits = fmt::to_string(number < 0 ? -number : number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return number < 0 ? "-" + digits : digits;
}

std::vector<std::string> differences(const LegCounts& c, Stations stations) {
  std::vector<std::string> found;
  if (stations != Stations::batch) compare_log(c, found);
  if (stations == Stations::all) compare_sink(c, found);
  if (stations == Stations::stream && c.log + c.lake_backlog != c.records_in_objects) {
    found.push_back(fmt::format("the stream workers had {} records to read ({} new, {} from earlier), but read {}",
                                c.log + c.lake_backlog, c.log, c.lake_backlog, c.records_in_objects));
  }
  if (c.missing > 0) {
    found.push_back(
        fmt::format("{} offsets of the planned ranges are in no object and no dead letter: objects are gone, or the "
                    "topic has gaps",
                    c.missing));
  }
  for (const auto& [record, raw] : c.raw) {
    const int64_t clean = of(c.clean, record), repeats = of(c.duplicates, record), dead = of(c.dead, record);
    if (raw != clean + repeats + dead) {
      found.push_back(fmt::format("of {} {} records {} were clean, {} repeats and {} dead: that is {}", raw, record,
                                  clean, repeats, dead, clean + repeats + dead));
    }
    const int64_t before = of(c.tables_before, record), after = of(c.tables, record);
    if (after - before != clean) {
      found.push_back(fmt::format("the table of {} grew from {} to {} rows, by {}, but {} were clean", record, before,
                                  after, after - before, clean));
    }
  }
  return found;
}

namespace {

void write_leg(JsonWriter& json, const LegCounts& c) {
  json.key("posts").number(c.posts).key("posted").number(c.posted).key("acknowledged").number(c.acknowledged);
  json.key("refused").number(c.refused).key("answers_lost").number(c.answers_lost).key("log").number(c.log);
  json.key("sink_backlog").number(c.sink_backlog).key("objects").number(c.objects).key("sunk").number(c.sunk);
  json.key("dead_in_sink").number(c.dead_in_sink).key("lake_backlog").number(c.lake_backlog);
  json.key("missing").number(c.missing);
  json.key("records_in_objects").number(c.records_in_objects);
  write_json(json, "raw", c.raw);
  write_json(json, "clean", c.clean);
  write_json(json, "duplicates", c.duplicates);
  write_json(json, "dead", c.dead);
  write_json(json, "noted", c.noted);
  write_json(json, "tables_before", c.tables_before);
  write_json(json, "tables", c.tables);
}

}  // namespace

void write_json(JsonWriter& json, const LegCounts& batch, const std::optional<LegCounts>& stream) {
  json.begin_object();
  write_leg(json, batch);
  if (stream) {
    json.key("stream").begin_object();
    write_leg(json, *stream);
    json.end_object();
  }
  json.end_object();
}

std::string as_text(const LegCounts& c, Stations stations) {
  std::string text;
  const auto line = [&](std::string_view station, const std::string& what) {
    text += fmt::format("  {:<13} {}\n", station, what);
  };
  std::string posted = fmt::format("{} posts, {} records", grouped(c.posts), grouped(c.posted));
  if (c.refused > 0) posted += fmt::format(", {} refused", grouped(c.refused));
  if (c.answers_lost > 0) posted += fmt::format(", {} answers lost", grouped(c.answers_lost));
  line("posted", posted);
  line("acknowledged", grouped(c.acknowledged));
  if (stations == Stations::stream) {
    line("streams",
         grouped(c.log) + (c.lake_backlog > 0 ? fmt::format(" and {} from earlier", grouped(c.lake_backlog)) : ""));
    line("read", fmt::format("{} records into {} files", grouped(c.records_in_objects), grouped(c.objects)));
  } else {
    line("log",
         grouped(c.log) + (c.sink_backlog > 0 ? fmt::format(" and {} from earlier", grouped(c.sink_backlog)) : ""));
    line("objects", fmt::format("{} records in {} objects{}", grouped(c.sunk), grouped(c.objects),
                                c.dead_in_sink > 0 ? fmt::format(", {} dead", grouped(c.dead_in_sink)) : ""));
    if (c.lake_backlog > 0) line("", fmt::format("and {} records in objects from earlier", grouped(c.lake_backlog)));
  }
  line("clean", listed(c.clean));
  line("repeats", listed(c.duplicates));
  line("dead", listed(c.dead));
  if (sum_of(c.noted) > 0) line("noted", listed(c.noted));
  line("tables", listed(c.tables));
  return text;
}

}  // namespace pinflow::app
