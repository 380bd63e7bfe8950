// The schedule and the data checks of a pipeline.
#include <charconv>

#include "pipeline/definition.h"
#include "pipeline/names.h"

namespace pinflow::pipeline {
namespace {

constexpr int64_t kMaxRetries = 100;

void read_text(MapReader& map, std::string_view key, std::string& into) {
  if (const YamlNode* node = map.find(key, YamlNode::Kind::scalar)) into = node->text;
}

void read_time(MapReader& map, std::string_view key, int64_t& into, Problems& problems) {
  const YamlNode* node = map.find(key, YamlNode::Kind::scalar);
  if (node == nullptr || parse_duration(node->text, into)) return;
  problems.add(node->line, "'{}' of {} is '{}'; it must be a time such as 90s, 5m, 2h or 1d, or 0", key, map.what(),
               node->text);
}

}  // namespace

bool parse_duration(std::string_view text, int64_t& seconds) {
  constexpr int64_t kYear = 366 * 86'400;
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || value < 0 || value > kYear || at == text.data()) return false;
  const std::string_view unit(at, static_cast<size_t>(end - at));
  const int64_t size = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : unit == "d" ? 86'400 : 0;
  if ((size == 0 && !(unit.empty() && value == 0)) || value * size > kYear) return false;
  seconds = value * size;
  return true;
}

std::vector<Check> read_checks(const YamlNode& checks, Context& context) {
  std::vector<Check> found;
  for (size_t i = 0; i < checks.entries.size(); ++i) {
    const auto& [name, node] = checks.entries[i];
    if (const auto wrong = word_fault(name))
      context.problems.add(checks.key_lines[i], "the check '{}' {}", name, *wrong);
    MapReader map(node, fmt::format("check '{}'", name), context.problems);
    Check check{.name = name, .title = map.text("title"), .fails = true, .sql = {}};
    if (const YamlNode* sql = map.need("sql", YamlNode::Kind::scalar)) check.sql = read_sql(*sql, context);
    if (const YamlNode* severity = map.find("severity", YamlNode::Kind::scalar)) {
      check.fails = severity->text == "fail";
      if (!check.fails && severity->text != "warn") {
        context.problems.add(severity->line, "'severity' of check '{}' is '{}'; it must be warn or fail", name,
                             severity->text);
      }
    }
    map.finish();
    found.push_back(std::move(check));
  }
  return found;
}

Schedule read_schedule(const YamlNode& node, Problems& problems) {
  Schedule s;
  MapReader map(node, "'schedule'", problems);
  s.where = fmt::format("{}:{}", problems.file(), node.line);
  if (const YamlNode* cron = map.find("cron", YamlNode::Kind::scalar)) {
    s.cron = cron->text;
    s.where = fmt::format("{}:{}", problems.file(), cron->line);
  }
  read_text(map, "timezone", s.zone);
  read_text(map, "start", s.start);
  if (const YamlNode* flag = map.find("catchup", YamlNode::Kind::scalar)) {
    s.catchup = flag->text == "true";
    if (!s.catchup && flag->text != "false")
      problems.add(flag->line, "'catchup' of 'schedule' is '{}'; it must be true or false", flag->text);
  }
  if (const YamlNode* retries = map.find("retries", YamlNode::Kind::scalar)) {
    const char* end = retries->text.data() + retries->text.size();
    const auto [at, error] = std::from_chars(retries->text.data(), end, s.retries);
    if (error != std::errc{} || at != end || s.retries < 0 || s.retries > kMaxRetries) {
      problems.add(retries->line, "'retries' of 'schedule' is '{}'; it must be a whole number from 0 to {}",
                   retries->text, kMaxRetries);
    }
  }
  read_time(map, "retry_delay", s.retry_delay_s, problems);
  read_time(map, "retry_delay_max", s.retry_delay_max_s, problems);
  read_time(map, "timeout", s.timeout_s, problems);
  read_time(map, "jitter", s.jitter_s, problems);
  if (const YamlNode* failure = map.find("on_failure", YamlNode::Kind::map)) {
    MapReader calls(*failure, "'on_failure' of 'schedule'", problems);
    read_text(calls, "command", s.on_failure_command);
    if (const YamlNode* hook = calls.find("webhook", YamlNode::Kind::scalar)) {
      s.on_failure_webhook = hook->text;
      if (!hook->text.starts_with("http://") && !hook->text.starts_with("https://"))
        problems.add(hook->line, "'webhook' of 'on_failure' must begin with http:// or https://");
    }
    calls.finish();
  }
  map.finish();
  return s;
}

}  // namespace pinflow::pipeline
